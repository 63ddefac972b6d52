"""The hand scanner's keys: gathered on any screen, told apart from a person's typing."""

from __future__ import annotations

import pytest

from associate_app.ui.scanner import CARD_GAP_S_MAX, GAP_S_MAX, LATE_S, SILENCE_S, Key, ScannerKeys

CARD = "FS1.ABCD2345"


def typed(keys: ScannerKeys, text: str, start_s: float, step_s: float = 0.01) -> float:
    """Type a text; returns the time of the last key."""
    for count, letter in enumerate(text):
        assert keys.press(Key(letter.upper(), letter.isupper()), start_s + count * step_s) is None
    return start_s + (len(text) - 1) * step_s


def test_enter_ends_a_scan() -> None:
    """Letter case comes from Shift, as scanners send it."""
    keys = ScannerKeys(lambda _: True)
    end_s = typed(keys, "Ab12-x", 5.0)
    assert keys.press(Key("Enter"), end_s + 0.01) == "Ab12-x"
    assert keys.wait_s() is None


def test_silence_ends_a_scan_of_a_scanner_without_suffix() -> None:
    """Half a second after the last key of a number: a busy tablet, or bad Wi-Fi, hands keys over late."""
    keys = ScannerKeys(lambda _: False)
    end_s = typed(keys, "2900000000015", 5.0)
    assert keys.wait_s() == GAP_S_MAX
    assert keys.settle(end_s + SILENCE_S) is None
    assert keys.settle(end_s + GAP_S_MAX) == "2900000000015"


def test_a_whole_card_needs_no_more_than_a_short_silence() -> None:
    """It says by itself that nothing is missing."""
    keys = ScannerKeys(lambda text: text == CARD)
    end_s = typed(keys, CARD, 5.0)
    assert keys.wait_s() == SILENCE_S
    assert keys.settle(end_s + SILENCE_S / 2) is None
    assert keys.settle(end_s + SILENCE_S) == CARD


def test_a_card_that_is_not_whole_yet_waits_longer_for_the_rest() -> None:
    """A busy moment, or a second of bad Wi-Fi, in the middle of a long card does not cut it in two."""
    keys = ScannerKeys(lambda text: text == CARD)
    end_s = typed(keys, CARD[:8], 5.0)
    assert keys.wait_s() == CARD_GAP_S_MAX
    assert keys.settle(end_s + 1.0) is None
    end_s = typed(keys, CARD[8:], end_s + 1.0)
    assert keys.wait_s() == SILENCE_S
    assert keys.settle(end_s + SILENCE_S) == CARD


def test_the_first_keys_of_a_card_may_come_slowly() -> None:
    """A tablet that just woke hands them over late, and the silence between them ends nothing."""
    keys = ScannerKeys(lambda text: text == CARD)
    slow_s = GAP_S_MAX + SILENCE_S
    for count, letter in enumerate(CARD[:3]):
        assert keys.press(Key(letter, letter.isupper()), 5.0 + count * slow_s) is None
        assert keys.settle(5.0 + count * slow_s + SILENCE_S) is None
    end_s = typed(keys, CARD[3:], 5.0 + 3 * slow_s)
    assert keys.settle(end_s + SILENCE_S) == CARD


def test_the_keys_of_a_number_may_come_slowly() -> None:
    """Slower than the silence that ends a whole card: no part of a number is taken for all of it."""
    keys, step_s = ScannerKeys(lambda _: False), GAP_S_MAX - 0.1
    for count, digit in enumerate("2900000000015"):
        assert keys.press(Key(digit), 5.0 + count * step_s) is None
        assert keys.settle(5.0 + count * step_s + step_s / 2) is None
    assert keys.settle(5.0 + 12 * step_s + GAP_S_MAX) == "2900000000015"


def test_a_card_scanned_again_after_half_of_it_is_read_alone() -> None:
    """The half stays for its rest; what begins a second time is a new scan."""
    keys = ScannerKeys(lambda text: text == CARD)
    end_s = typed(keys, CARD[:7], 5.0)
    end_s = typed(keys, CARD, end_s + CARD_GAP_S_MAX - 1)
    assert keys.press(Key("Enter"), end_s + 0.01) == CARD


def test_a_silence_told_late_is_waited_for_once_more() -> None:
    """The loop was busy, and with it the keys that came in time."""
    keys = ScannerKeys(lambda _: False)
    end_s = typed(keys, "290000", 5.0)
    late_s = end_s + GAP_S_MAX + 2 * LATE_S
    assert keys.settle(late_s) is None
    assert keys.wait_s() == GAP_S_MAX
    assert keys.settle(late_s + GAP_S_MAX) == "290000"


@pytest.mark.parametrize("head", ["FS1.", "FSE1.", "fse1."])
def test_an_invitation_waits_for_its_rest_as_a_card_does(head: str) -> None:
    """Both are long, and both say by themselves when they are whole; half of one is forgotten for a whole one."""
    whole = f"{head}ABCD2345"
    keys = ScannerKeys(lambda text: text == whole)
    end_s = typed(keys, whole[:7], 5.0)
    assert keys.wait_s() == CARD_GAP_S_MAX
    end_s = typed(keys, whole, end_s + CARD_GAP_S_MAX - 1)
    assert keys.wait_s() == SILENCE_S
    assert keys.settle(end_s + SILENCE_S) == whole


def test_a_gap_begins_anew() -> None:
    """What was typed before half a second of nothing belongs to something else: a code was ended by that silence, and
    less than one is forgotten."""
    keys = ScannerKeys(lambda _: True)
    end_s = typed(keys, "zzzz", 5.0)
    assert keys.settle(end_s + SILENCE_S) == "zzzz"
    end_s = typed(keys, "zzz", end_s + 1.0)
    end_s = typed(keys, "1234", end_s + GAP_S_MAX + 0.01)
    assert keys.press(Key("Enter"), end_s + 0.01) == "1234"


@pytest.mark.parametrize("text", [CARD, "2900000000015"])
def test_keys_that_a_busy_loop_kept_waiting_are_not_lost(text: str) -> None:
    """It drew a screen for two seconds while the last keys and Enter lay in the socket; the silence was late too."""
    keys = ScannerKeys(lambda typed: typed == CARD)
    end_s = typed(keys, text[:-2], 5.0)
    assert keys.settle(end_s + 2.0 + (CARD_GAP_S_MAX if text == CARD else 0)) is None
    end_s = typed(keys, text[-2:], end_s + 2.0)
    assert keys.settle(end_s + 2.0) is None
    assert keys.press(Key("Enter"), end_s + 2.0) == text


@pytest.mark.parametrize("text", ["", "a", "abc"])
def test_fewer_than_four_characters_are_no_scan(text: str) -> None:
    """Somebody leaned on the keyboard."""
    keys = ScannerKeys(lambda _: True)
    end_s = typed(keys, text, 5.0)
    assert keys.press(Key("Enter"), end_s + 0.01) is None


def test_a_space_held_down_is_no_scan() -> None:
    """It presses what has the focus, again and again; within a code it is a letter like another."""
    keys = ScannerKeys(lambda _: True)
    end_s = typed(keys, "      ", 5.0)
    assert keys.wait_s() is None
    assert not keys.is_typing(end_s)
    end_s = typed(keys, "AB 12", end_s)
    assert keys.press(Key("Enter"), end_s) == "AB 12"


def test_shortcuts_and_named_keys_type_nothing() -> None:
    """Control+A, arrows, Tab."""
    keys = ScannerKeys(lambda _: True)
    for key in (Key("A", is_chord=True), Key("Arrow Down"), Key("Tab"), Key("Shift Left")):
        assert keys.press(key, 5.0) is None
    assert keys.wait_s() is None


@pytest.mark.parametrize(
    ("key", "character"),
    [(Key(";", True), ":"), (Key("-"), "-"), (Key("Numpad 7"), "7"), (Key("7", True), "&"), (Key("."), ".")],
)
def test_signs_and_the_number_pad_are_read(key: Key, character: str) -> None:
    """Codes of other systems hold more than letters."""
    keys = ScannerKeys(lambda _: True)
    for one in (key, key, key, key):
        keys.press(one, 5.0)
    assert keys.press(Key("Enter"), 5.0) == character * 4


def test_a_tap_amid_a_scan_or_right_after_it_is_the_scanner_s() -> None:
    """The Enter of a scanner presses the button that has the focus; half a second later it is a person."""
    keys = ScannerKeys(lambda _: True)
    assert not keys.is_typing(4.9)
    end_s = typed(keys, "12345", 5.0)
    assert keys.is_typing(end_s + 0.01)
    keys.press(Key("Enter"), end_s + 0.02)
    assert keys.is_typing(end_s + 0.05)
    assert not keys.is_typing(end_s + 0.5)


def test_a_person_s_few_keys_never_block_a_tap() -> None:
    """Three keys are no scan."""
    keys = ScannerKeys(lambda _: True)
    end_s = typed(keys, "123", 5.0)
    assert not keys.is_typing(end_s + 0.01)


def test_a_field_that_takes_the_focus_drops_what_was_typed() -> None:
    """The rest goes into the field."""
    keys = ScannerKeys(lambda _: True)
    typed(keys, "1234", 5.0)
    keys.drop()
    assert keys.wait_s() is None
