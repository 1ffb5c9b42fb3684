"""Facts about the sets of spoken words: words, counts, archives."""

import dataclasses

import tensorflow_datasets as tfds

WORDS_1 = tuple(
  """
    bed bird cat dog down eight five four go happy house left marvin nine no off
    on one right seven sheila six stop three tree two up wow yes zero
""".split()
)
WORDS_2 = tuple(
  sorted([*WORDS_1, "backward", "follow", "forward", "learn", "visual"])
)
SUBSET = "speech_commands_subset"


@dataclasses.dataclass(eq=False, kw_only=True)
class SpeechConfig(tfds.core.BuilderConfig):
  """One of the sets.

  Attributes:
    archive: The name of its archive; "" if it cannot be downloaded.
    words: The words that it may have, in the order of their ids.
    clips: The number of clips of each split; empty if any number is right.
  """

  archive: str
  words: tuple[str, ...]
  clips: dict[str, int]


SETS = (
  SpeechConfig(
    name="speech_commands_v0.01",
    description="Speech Commands, version 0.01: 30 words.",
    archive="speech_commands_v0.01.tar.gz",
    words=WORDS_1,
    # Of 64,727 files six are noise. Zhang et al., ICLR 2018, section 3.3.
    clips={"train": 51_088, "validation": 6_798, "test": 6_835},
  ),
  SpeechConfig(
    name="speech_commands_v0.02",
    description="Speech Commands, version 0.02: 35 words.",
    archive="speech_commands_v0.02.tar.gz",
    words=WORDS_2,
    # Warden, Speech Commands, arXiv:1804.03209, table 1 and its lists.
    clips={"train": 84_843, "validation": 9_981, "test": 11_005},
  ),
  SpeechConfig(
    name=SUBSET,
    description="Some clips of Speech Commands, whichever were at hand.",
    archive="",
    words=WORDS_2,
    clips={},
  ),
)
