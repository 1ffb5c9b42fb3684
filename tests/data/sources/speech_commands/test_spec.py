"""Tests of the facts about Speech Commands."""

from mixup_jax.data.sources.speech_commands import spec


def test_words_are_sorted_and_unique():
  assert len(spec.WORDS_1) == 30 and len(spec.WORDS_2) == 35
  for words in (spec.WORDS_1, spec.WORDS_2):
    assert list(words) == sorted(set(words))
  assert set(spec.WORDS_1) < set(spec.WORDS_2)


def test_sets_have_the_published_counts():
  first, second, subset = spec.SETS
  # 64,727 files, of which six are noise; 105,829 utterances.
  assert sum(first.clips.values()) == 64_727 - 6
  assert sum(second.clips.values()) == 105_829
  assert subset.name == spec.SUBSET and not subset.clips
