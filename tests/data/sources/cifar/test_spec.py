"""Tests of the facts about CIFAR."""

from mixup_jax.data.sources.cifar import spec


def test_sets_class_names_are_in_alphabetical_order():
  sizes = {"cifar10": [10], "cifar100": [20, 100]}
  for config in spec.SETS:
    labels = list(config.labels.values())
    assert [len(set(names)) for names in labels] == sizes[config.name]
    assert all(list(names) == sorted(names) for names in labels)


def test_sets_have_the_published_sizes():
  for config in spec.SETS:
    sizes = {x: config.rows[x] * len(config.files[x]) for x in config.files}
    assert sizes == {"train": 50_000, "test": 10_000}
    sums = [x for names in config.files.values() for x in names.values()]
    assert all(len(x) == 40 and int(x, 16) for x in sums)
    assert len(set(sums)) == len(sums)
