"""Facts about each UCI table: its files, sizes, classes and checksum."""

import dataclasses

import tensorflow_datasets as tfds


@dataclasses.dataclass(eq=False, kw_only=True)
class TableConfig(tfds.core.BuilderConfig):
  """One table.

  Attributes:
    url: Where the UCI serves its archive, below the common address.
    files: For each split the data file, and the label file if there is one.
    rows: The number of rows of each split.
    columns: The number of features.
    classes: The class names, in the order of their ids.
    sha256: The checksum of the contents; None if no copy could be verified.
    delimiter: What separates fields; None is white space.
    categories: For each categorical column its words, in the order of their
      codes.
  """

  url: str
  files: dict[str, tuple[str, ...]]
  rows: tuple[int, ...]
  columns: int
  classes: tuple[str, ...]
  sha256: str | None
  delimiter: str | None = ","
  categories: dict[int, tuple[str, ...]] = dataclasses.field(
    default_factory=dict
  )


TABLES = (
  TableConfig(
    name="abalone",
    description="Age of abalone: 28 ring counts from sex and 7 measures.",
    url="1/abalone.zip",
    files={"train": ("abalone.data",)},
    rows=(4177,),
    columns=8,
    classes=tuple(str(rings) for rings in (*range(1, 28), 29)),
    categories={0: ("F", "I", "M")},
    sha256="a04ecb8bc90823aed5f3054446f23fbd02890aa93b87e6b72c5d7c0c11ebf5fd",
  ),
  TableConfig(
    name="arcene",
    description="Cancer in mass spectra, of the NIPS 2003 challenge; the "
    "test labels were never published.",
    url="167/arcene.zip",
    files={
      "train": ("arcene_train.data", "arcene_train.labels"),
      "validation": ("arcene_valid.data", "arcene_valid.labels"),
    },
    rows=(100, 100),
    columns=10_000,
    classes=("-1", "1"),
    delimiter=None,
    sha256="9e107cc480a0a34271a29548bdf3cb2786bc67307493e424718d42e371eead54",
  ),
  TableConfig(
    name="arrhythmia",
    description="Cardiac arrhythmia; the 13 classes that occur, of the 16 "
    "that are defined. 408 values are missing.",
    url="5/arrhythmia.zip",
    files={"train": ("arrhythmia.data",)},
    rows=(452,),
    columns=279,
    classes=tuple(str(c) for c in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16)),
    sha256="402f97560749d3f8d0995f6aace722f1fb57da0e99f61eb25591e1aa2abfa7d9",
  ),
  TableConfig(
    name="htru2",
    description="Pulsar candidates of the HTRU survey.",
    url="372/htru2.zip",
    files={"train": ("HTRU_2.csv",)},
    rows=(17_898,),
    columns=8,
    classes=("0", "1"),
    sha256="7576846923819ce3003f40dad9b112a381516f51877b4ae5c7db464faefc3b90",
  ),
  TableConfig(
    name="iris",
    description="Fisher's Iris, with the two errors of the file corrected.",
    url="53/iris.zip",
    files={"train": ("iris.data",)},
    rows=(150,),
    columns=4,
    classes=("Iris-setosa", "Iris-versicolor", "Iris-virginica"),
    sha256="2c54826a0b46cef3d0d25ae83d6882742e73f52e45fbd63913f984f9b10ec950",
  ),
  TableConfig(
    name="phishing_websites",
    description="Phishing Websites, 30 features of URL and page.",
    url="327/phishing+websites.zip",
    files={"train": ("Training Dataset.arff",)},
    rows=(11_055,),
    columns=30,
    classes=("-1", "1"),
    sha256="5e03f70533b1744b9c58f9830ba82fa22204a53f403b88f304f7a085967d0e91",
  ),
  TableConfig(
    name="website_phishing",
    description="Website Phishing, 9 features, with a suspicious class. "
    "No copy was at hand to take a checksum of: only counts are verified.",
    url="379/website+phishing.zip",
    files={"train": ("PhishingData.arff",)},
    rows=(1353,),
    columns=9,
    classes=("-1", "0", "1"),
    sha256=None,
  ),
)
