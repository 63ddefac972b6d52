"""What a chain said of the rules of who is who: values that identify nobody, and its own policy. Step 7.

Both are identity facts, read anew with every part that is worked out: nothing here is remembered between two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.identity import DEFAULT_BLOCKED, BlockForm, BlockList, BlockRule, IdentifierType, block_list
from shared.identity_policy import SHIPPED_POLICY, Policy, PolicyFile
from shared.plays.refusal import read_file
from sync_server.ports import CentralReader
from sync_server.services.playbook import load_yaml

POLICY_KIND: Final = "policy"
"""Kind of an identity fact of no identifier: its type is empty, its value the file's words as JSON."""


def blocks_of(reader: CentralReader) -> BlockList:
    """Values that identify nobody: those shipped, and what this chain added."""
    own = reader.identity_facts("block")
    if not own:
        return block_list(*DEFAULT_BLOCKED)
    rules = [BlockRule(BlockForm.EXACT, row.a_value, frozenset({IdentifierType(row.a_type)})) for row in own]
    return block_list(*DEFAULT_BLOCKED, *rules)


def policy_of(reader: CentralReader) -> Policy:
    """The policy in force: the last that was said, else the shipped one."""
    said = reader.identity_facts(POLICY_KIND)
    return PolicyFile.model_validate_json(said[-1].a_value).policy() if said else SHIPPED_POLICY


def read_policy_file(path: Path) -> PolicyFile:
    """A chain's own policy. Raises PlaybookRefused with every problem, its place in the file and what is allowed."""
    return read_file(PolicyFile, load_yaml(path, path.name) or {}, path.name)
