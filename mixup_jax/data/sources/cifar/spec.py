"""Facts about CIFAR-10 and CIFAR-100: files, checksums, class names."""

import dataclasses

import tensorflow_datasets as tfds

CIFAR10 = (
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
)
CIFAR100 = tuple(
  """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy
    bridge bus butterfly camel can castle caterpillar cattle chair chimpanzee
    clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
    leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
    seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train
    trout tulip turtle wardrobe whale willow_tree wolf woman worm
""".split()
)
CIFAR100_COARSE = tuple(
  """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables
    household_electrical_devices household_furniture insects large_carnivores
    large_man-made_outdoor_things large_natural_outdoor_scenes
    large_omnivores_and_herbivores medium_mammals non-insect_invertebrates
    people reptiles small_mammals trees vehicles_1 vehicles_2
""".split()
)


@dataclasses.dataclass(eq=False, kw_only=True)
class CifarConfig(tfds.core.BuilderConfig):
  """One of the two sets.

  Attributes:
    archive: The name under which its authors serve it.
    files: For each split its files, in order, and their SHA-1.
    rows: For each split the number of images in each of its files.
    labels: The labels of an image in the order of their bytes, and for each the
      class names in the order of their ids.
  """

  archive: str
  files: dict[str, dict[str, str]]
  rows: dict[str, int]
  labels: dict[str, tuple[str, ...]]


SETS = (
  CifarConfig(
    name="cifar10",
    description="CIFAR-10: 50,000 and 10,000 images of ten classes.",
    archive="cifar-10-binary.tar.gz",
    files={
      "train": {
        "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
        "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
        "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
        "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
        "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
      },
      "test": {"test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c"},
    },
    rows={"train": 10_000, "test": 10_000},
    labels={"label": CIFAR10},
  ),
  CifarConfig(
    name="cifar100",
    description="CIFAR-100: 50,000 and 10,000 images of a hundred classes, "
    "and twenty coarse ones.",
    archive="cifar-100-binary.tar.gz",
    files={
      "train": {"train.bin": "e207cd2e05b73b1393c74c7f5e7bea451d63e08e"},
      "test": {"test.bin": "8fb6623e830365ff53cf14adec797474f5478006"},
    },
    rows={"train": 50_000, "test": 10_000},
    labels={"coarse_label": CIFAR100_COARSE, "label": CIFAR100},
  ),
)
