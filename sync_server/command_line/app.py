"""All commands of `sync-server`, and the one place that turns a command line into an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError

from sync_server.command_line.common import WRONG_USAGE, complain, guard

VERSION: Final = "1.0.0"

_GROUPS: Final = {
    "store": "The chain's shops.",
    "associate": "The people on the floor.",
    "device": "The chain's tablets.",
    "keys": "The chain's signing keys.",
    "setting": "What holds for all tablets of the chain.",
    "quarantine": "Ops HQ could not apply, and what it rejected.",
    "salvage": "Ops from journals that can no longer be pushed.",
    "key": "Write keys of the systems that send events.",
    "hook": "Systems that send webhooks.",
    "mapping": "What the JSON of a webhook means.",
    "card": "Loyalty cards.",
    "shopper": "Who is in a store's slice, and why.",
    "profile": "Profiles as HQ holds them.",
    "play": "The playbook.",
    "segment": "Named conditions: who is in one.",
    "campaign": "What runs under one name.",
    "journey": "How far shoppers come, through all channels.",
    "offer": "The offers, and how stores bend them.",
    "feedback": "What stores tell HQ, and HQ's answers.",
    "correction": "What the floor corrected, and HQ's answers.",
    "product": "What the chain sells.",
    "identity": "Who is who.",
    "consent": "What shoppers agreed to, and the proof of it.",
    "consent wording": "The words shoppers agree to.",
    "privacy": "A shopper's rights: to be forgotten, and to know.",
    "export": "Summaries and suppressions for other systems.",
    "export webhook": "Where changes are sent.",
}
_COMMANDS: Final = {
    "init": ("chain:init", "Make a new chain."),
    "store add": ("chain:store_add", "Add a shop."),
    "store hours": ("chain:store_hours", "Say when a shop is open."),
    "store list": ("chain:store_list", "List the shops."),
    "associate add": ("chain:associate_add", "Add someone who works at a store."),
    "associate list": ("chain:associate_list", "List the people."),
    "associate disable": ("chain:associate_disable", "Let someone sign in no more."),
    "associate reset-pin": ("chain:associate_reset_pin", "Give someone a new PIN."),
    "device enrol": ("devices:device_enrol", "Make a one-time code for a new tablet."),
    "device list": ("devices:device_list", "List the tablets."),
    "device revoke": ("devices:device_revoke", "Shut a tablet out."),
    "device rotate": ("devices:device_rotate", "Have a tablet change its token."),
    "device move": ("devices:device_move", "Give a tablet to another store."),
    "quarantine list": ("quarantine:quarantine_list", "List what waits for a fix."),
    "quarantine show": ("quarantine:quarantine_show", "Print one of it in full."),
    "quarantine replay": ("quarantine:quarantine_replay", "Try it again after a fix."),
    "salvage list": ("quarantine:salvage_list", "List what waits for a decision."),
    "salvage show": ("quarantine:salvage_show", "Print one of it in full."),
    "salvage import": ("quarantine:salvage_import", "Take a journal that left its tablet as a file."),
    "salvage approve": ("quarantine:salvage_approve", "Merge salvaged ops."),
    "salvage refuse": ("quarantine:salvage_refuse", "Keep salvaged ops apart for good."),
    "keys list": ("keys:keys_list", "List the signing keys."),
    "keys rotate": ("keys:keys_rotate", "Make a new key that signs from now on."),
    "keys export": ("keys:keys_export", "Print the public keys for others, such as the tills."),
    "setting list": ("chain:setting_list", "List what holds for all tablets."),
    "setting set": ("chain:setting_set", "Set what holds for all tablets."),
    "key create": ("chain:key_create", "Make a write key."),
    "hook add": ("hooks:hook_add", "Take webhooks of a system."),
    "hook list": ("hooks:hook_list", "List them, with what they sent."),
    "hook show": ("hooks:hook_show", "Print one, with what did not come through."),
    "hook replay": ("hooks:hook_replay", "Map again after a fix."),
    "hook disable": ("hooks:hook_disable", "Take nothing more from one."),
    "mapping list": ("hooks:mapping_list", "List the mappings that came along."),
    "mapping try": ("hooks:mapping_try", "Show what a mapping makes of a payload."),
    "card issue": ("cards:card_issue", "Issue signed cards, for one number or a file of them."),
    "card replace": ("cards:card_replace", "Cancel a number's cards and issue a new one."),
    "card cancel": ("cards:card_cancel", "Cancel a card."),
    "card sheet": ("cards:card_sheet", "Draw sheets of cards, ready to print and cut."),
    "card page": ("cards:card_page", "Make the page that shows a card on the shopper's phone."),
    "shopper list": ("shoppers:shopper_list", "List shoppers of a store's slice."),
    "shopper why": ("shoppers:shopper_why", "Say which stores hold a shopper, and why."),
    "profile show": ("shoppers:profile_show", "Print a profile in full."),
    "identity explain": ("identity:identity_explain", "Say why a shopper is who they are."),
    "identity link": ("identity:identity_link", "Say that two identifiers are one shopper."),
    "identity split": ("identity:identity_split", "Say that they are two."),
    "identity block": ("identity:identity_block", "Say that a value identifies nobody."),
    "identity release": ("identity:identity_release", "Publish a shopper who was held."),
    "identity review": ("identity:identity_review", "List what a person should look at."),
    "identity policy": ("identity:identity_policy", "Show or set what joins whom."),
    "identity rebuild": ("identity:identity_rebuild", "Work it all out from the ledger."),
    "identity duplicates": ("duplicates:identity_duplicates", "Propose shoppers who may be one person."),
    "play list": ("chain:play_list", "List the plays published now."),
    "play preview": ("plays:play_preview", "Say whom a play would be for today."),
    "play schema": ("plays:play_schema", "Print the JSON Schema of a play's file."),
    "play check": ("play_life:play_check", "Check the files of a playbook."),
    "play diff": ("play_life:play_diff", "Show what publishing them would change."),
    "play publish": ("play_life:play_publish", "Publish them to every tablet."),
    "play retire": ("play_life:play_retire", "Take plays off every tablet."),
    "play replay": ("play_life:play_replay", "Try the files on past cards."),
    "play changes": ("play_life:play_changes_list", "List what store managers changed."),
    "play proposals": ("play_life:play_proposals", "List what store managers propose."),
    "play accept": ("play_life:play_accept", "Accept a proposal."),
    "play reject": ("play_life:play_reject", "Reject a proposal."),
    "play explain": ("play_checks:play_explain", "Say why a card would show each play, or not."),
    "play parity": ("play_checks:play_parity", "Say whether tablets decide as HQ does."),
    "play estimates": ("play_checks:play_estimates", "Count anew how likely plays are to sell, and stores' figures."),
    "segment list": ("segments:segment_list", "List the segments of a folder."),
    "segment preview": ("plays:play_preview", "Say who is in a segment today."),
    "segment export": ("segments:segment_export", "Write who is in a segment today, for other systems."),
    "campaign list": ("journeys:campaign_list", "List the campaigns published."),
    "campaign retire": ("journeys:campaign_retire", "End campaigns."),
    "journey list": ("journeys:journey_list", "List the journeys published."),
    "journey check": ("journeys:journey_check", "Check a journey's file, and count how far shoppers came."),
    "journey retire": ("journeys:journey_retire", "Count journeys no more."),
    "journey export": ("journeys:journey_export", "Write the counts of every step."),
    "offer list": ("offers:offer_list", "List the offers published now."),
    "offer check": ("offers:offer_check", "Find offers that nobody knows or hands out."),
    "offer overrides": ("offers:offer_overrides", "Total what stores gave beyond the terms."),
    "feedback list": ("feedback:feedback_list", "List what waits for an answer."),
    "feedback answer": ("feedback:feedback_answer", "Answer a message; its store reads it."),
    "feedback agreement": ("feedback:feedback_agreement", "Count answers in time and late ones, by store."),
    "correction list": ("corrections:correction_list", "List what waits for somebody to look."),
    "correction answer": ("corrections:correction_answer", "Say what came of it."),
    "product picture": ("products:product_picture", "Give a product a picture."),
    "consent show": ("consent:consent_show", "Show what stands for a shopper, and why."),
    "consent coverage": ("consent:consent_coverage", "Count who agreed to what."),
    "consent export": ("consent:consent_export", "Write every decision with its proof to a file."),
    "consent wording add": ("consent:wording_add", "Publish the wording of a consent."),
    "consent wording list": ("consent:wording_list", "List the wordings published."),
    "consent wording show": ("consent:wording_show", "Show a wording in every language."),
    "privacy erase": ("privacy:privacy_erase", "Erase a shopper, at HQ and on every tablet."),
    "privacy export": ("privacy:privacy_export", "Write everything HQ holds of a shopper to a file."),
    "privacy status": ("privacy:privacy_status", "List erasures, and which tablets confirmed them."),
    "export traits": ("exports:traits_export", "Write one summary per shopper, for a CRM."),
    "export suppressions": ("exports:suppressions_export", "Write what other systems must hold back, and why."),
    "export webhook add": ("exports:webhook_add", "Send what changes to an address."),
    "export webhook list": ("exports:webhook_list", "List the webhooks and how far each is."),
    "export webhook remove": ("exports:webhook_remove", "Send nothing more to a webhook."),
    "export webhook run": ("exports:webhook_run", "Send what is due."),
    "demo-data": ("demo:demo_data", "Fill an empty chain with the demo."),
    "demo-sheet": ("demo:demo_sheet", "Show the demo's cards and people."),
    "demo-live": ("demo:demo_live", "Let the demo's shoppers go on living."),
    "import": ("imports:import_file", "Take a file of another system."),
    "watch": ("watching:watch", "Take the files that a folder is given, until stopped."),
    "status": ("operations:status", "Say how HQ stands, and what waits for somebody."),
    "serve": ("operations:serve", "Serve tablets and the tracking API."),
    "migrate": ("operations:migrate", "Bring the database up to date."),
    "keep": ("operations:keep_command", "Do the nightly upkeep now."),
    "backup": ("operations:backup", "Copy the database to a file."),
    "restore": ("operations:restore_command", "Make the database what a backup holds."),
}
"""Command -> (where it is written, what it does). A page is imported only when one of its commands is run."""


def make_cli() -> App:
    """The command line with all its commands of the table."""
    cli = App(
        name="sync-server",
        help="HQ's side of Floorside: one chain, its stores, tablets, cards and shoppers.",
        version=VERSION,
        help_format="plaintext",
    )
    groups = {"": cli}
    for path, words in _GROUPS.items():
        above, _, name = path.rpartition(" ")
        groups[path] = App(name=name, help=words, help_format="plaintext")
        groups[above].command(groups[path])
    for words, (place, summary) in _COMMANDS.items():
        group, _, name = words.rpartition(" ")
        groups[group].command(f"{__package__}.{place}", name=name, help=summary)
    return cli


def run(arguments: Sequence[str]) -> int:
    """Run one command line: 0 done, 1 refused with a sentence on standard error, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    return guard(lambda: _run(list(arguments)))


def _run(arguments: list[str]) -> int | None:
    cli = make_cli()
    try:
        command, bound, _ = cli.parse_args(arguments, exit_on_error=False, print_error=False)
        is_help = command in (cli.help_print, cli.version_print)
        command(*bound.args, **bound.kwargs)
    except CycloptsError as wrong:
        complain(f"{wrong} See `sync-server --help`.")
        return WRONG_USAGE
    return WRONG_USAGE if is_help and not _asks_for_help(arguments) else None


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return any(argument in ("--help", "-h", "--version") for argument in arguments)
