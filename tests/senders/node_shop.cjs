// A web shop's server: tells a story by one of the two Node libraries, as it comes from npm.
// node node_shop.cjs segment|rudder URL WRITE_KEY, the story as JSON on standard input; says what failed as JSON.
"use strict";

const [library, url, writeKey] = process.argv.slice(2);
const story = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const failures = [];
const fail = (problem) => failures.push(String(problem?.reason?.message ?? problem?.message ?? problem));

const shops = {
  segment() {
    const { Analytics } = require("@segment/analytics-node");
    const shop = new Analytics({ writeKey, host: url, maxRetries: 5 });
    shop.on("error", fail);
    return [shop, () => shop.closeAndFlush()];
  },
  rudder() {
    const Analytics = require("@rudderstack/rudder-sdk-node");
    const shop = new Analytics(writeKey, { dataPlaneUrl: url, logLevel: "none", errorHandler: fail });
    return [shop, () => shop.flush()];
  },
};

const [shop, flush] = shops[library]();
for (const [call, said] of story) shop[call]({ ...said, timestamp: new Date(said.timestamp) });
flush().then(() => console.log(JSON.stringify(failures)));
