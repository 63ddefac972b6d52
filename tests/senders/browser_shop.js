// A web shop's page: tells a story by the browser library, as it comes from npm; gives back what failed.
"use strict";

window.tellStory = async (shop, story) => {
  const calls = {
    identify: (said) => shop.identify(said.userId, said.traits, { context: said.context }),
    track: (said) => shop.track(said.event, said.properties),
    page: (said) => shop.page(said.name, said.properties),
    screen: (said) => shop.screen(said.name, said.properties),
    group: (said) => shop.group(said.groupId, said.traits),
    alias: (said) => shop.alias(said.userId, said.previousId),
  };
  const told = [];
  for (const [call, said] of story) told.push(await calls[call](said));
  return told.map((context) => context.failedDelivery()).filter(Boolean).map((failure) => String(failure.reason));
};
