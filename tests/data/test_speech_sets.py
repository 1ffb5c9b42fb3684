"""Proves that the words are so many, in order, and each once."""

from mixup_jax.data import speech_sets


def test_words():
  assert len(speech_sets.WORDS_1) == 30 and len(speech_sets.WORDS_2) == 35
  for words in (speech_sets.WORDS_1, speech_sets.WORDS_2):
    assert list(words) == sorted(set(words))
  assert set(speech_sets.WORDS_1) < set(speech_sets.WORDS_2)


def test_counts_are_those_of_the_published_files():
  first, second, subset = speech_sets.SETS
  # 64,727 files, of which six are noise; 105,829 utterances.
  assert sum(first.clips.values()) == 64_727 - 6
  assert sum(second.clips.values()) == 105_829
  assert subset.name == speech_sets.SUBSET and not subset.clips
