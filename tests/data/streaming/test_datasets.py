"""Tests of opening prepared data sets."""

from concurrent import futures
import io
import json
import pathlib

from array_record.python import array_record_module
import numpy as np
import PIL.Image
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.utils.shard_utils import FileInstruction
from tensorflow_datasets.proto import tf_example_pb2

from mixup_jax.data.streaming import datasets
from mixup_jax.runtime import storage


def _jpeg(value):
  buffer = io.BytesIO()
  image = np.full((8, 8, 3), value, np.uint8)
  PIL.Image.fromarray(image).save(buffer, "JPEG")
  return buffer.getvalue()


def _prepare(data_dir, name, splits, *, version="1.0.0", file_name=True):
  """Prepares a small data set as TFDS would; returns its directory."""
  features = {
    "image": tfds.features.Image(encoding_format="jpeg"),
    "label": tfds.features.ClassLabel(names=["a", "b"]),
    **({"file_name": tfds.features.Text()} if file_name else {}),
  }
  names = {"file_name": "x.jpg"} if file_name else {}
  with tfds.core.registered.skip_registration():
    builder_class = type(
      "Builder",
      (tfds.core.GeneratorBasedBuilder,),
      {
        "name": name,
        "VERSION": tfds.core.Version(version),
        "BUILDER_CONFIGS": [],
        "__module__": __name__,
        "_info": lambda self: tfds.core.DatasetInfo(
          builder=self, features=tfds.features.FeaturesDict(features)
        ),
        "_split_generators": lambda self, _: {
          split: (
            (i, {"image": io.BytesIO(_jpeg(10 * i)), "label": i % 2, **names})
            for i in range(3)
          )
          for split in splits
        },
        "_generate_examples": lambda self: None,
      },
    )
  tfds.disable_progress_bar()
  builder = builder_class(data_dir=data_dir, file_format="array_record")
  builder.download_and_prepare()
  return str(builder.data_dir)


@pytest.fixture
def official(tmp_path):
  """Returns a data directory with a small imagenet2012 like that of TFDS."""
  version = str(tfds.builder("imagenet2012", data_dir=tmp_path).version)
  _prepare(
    tmp_path, "imagenet2012", ("train", "validation", "test"), version=version
  )
  return tmp_path


def test_load_reads_a_data_set_of_tfds(official):
  found = datasets.load("imagenet2012", str(official))
  assert (found.name, found.num_classes) == ("imagenet2012", 2)
  assert found.class_names == ("a", "b")
  assert len(found.train) == len(found.validation) == 3
  examples = [found.train[row] for row in range(3)]
  assert {e["image"] for e in examples} == {_jpeg(10 * i) for i in range(3)}
  for example in examples:
    assert example["file_name"] == "x.jpg"
    assert example["image"] == _jpeg(0) or example["label"] in (0, 1)
  assert found.mean == (0.485, 0.456, 0.406)
  assert found.std == (0.229, 0.224, 0.225)


def test_load_takes_a_directory_and_validates_on_test(tmp_path):
  directory = _prepare(tmp_path, "mine", ("train", "test"), file_name=False)
  found = datasets.load(directory)
  assert len(found.validation) == 3
  assert set(found.validation[0]) == {"image", "label"}


def _shards(directory, takes):
  """Writes files of some records; returns them as TFDS would."""
  files, count = [], 0
  for number, (skip, take, size) in enumerate(takes):
    path = str(directory / f"{number}.array_record")
    writer = array_record_module.ArrayRecordWriter(path, "group_size:1")
    for place in range(size):
      example = tf_example_pb2.Example()
      features = example.features.feature
      chosen = skip <= place < skip + take
      features["image"].bytes_list.value.append(
        b"%d" % count if chosen else b""
      )
      features["label"].int64_list.value.append(count)
      count += chosen
      writer.write(example.SerializeToString())
    writer.close()
    files.append(FileInstruction(path, skip, take, size))
  return files


def test_records_read_every_row_of_several_files(tmp_path):
  files = _shards(tmp_path, [(0, 3, 3), (2, 4, 7), (0, 0, 2), (1, 1, 2)])
  records = datasets.Records(files)
  assert len(records) == 8
  for row in (7, 0, 3, 2, 6, 5, 1, 4):
    assert records[row] == {"image": b"%d" % row, "label": row}


def test_records_are_read_by_many_threads_at_once(tmp_path):
  records = datasets.Records(_shards(tmp_path, [(0, 40, 40), (0, 9, 9)]))
  with futures.ThreadPoolExecutor(8) as pool:
    found = list(pool.map(records.__getitem__, 20 * list(range(49))))
  assert [x["label"] for x in found] == 20 * list(range(49))


def test_records_raise_for_a_damaged_record_alone(tmp_path):
  files = _shards(tmp_path, [(0, 5, 5)])
  path = pathlib.Path(files[0].filename)
  data = path.read_bytes()
  path.write_bytes(data.replace(b"image\x12\x05\n\x03\n\x012", b"x" * 12))
  assert path.read_bytes() != data
  records = datasets.Records(files)
  with pytest.raises(Exception, match="hash"):
    records[2]
  assert [records[i]["label"] for i in (1, 3)] == [1, 3]


def test_load_reads_a_bucket_in_place(official, bucket):
  storage.upload(official, storage.path(bucket, "data_dir"))
  directory = next((official / "imagenet2012").iterdir()).name
  ours = datasets.load("imagenet2012", str(official))
  for found in (
    datasets.load("imagenet2012", bucket),
    datasets.load(f"{bucket}/imagenet2012/{directory}"),
  ):
    for row in range(3):
      assert found.train[row] == ours.train[row]
  with pytest.raises(FileNotFoundError, match=f"is not prepared .* {bucket}/b"):
    datasets.load("tiny_imagenet", f"{bucket}/b")


def test_load_refuses_a_single_split(tmp_path):
  directory = _prepare(tmp_path, "mine", ("train",))
  with pytest.raises(ValueError, match="has the splits train: it needs"):
    datasets.load(directory)


def test_load_refuses_features_without_images(official):
  path = next((official / "imagenet2012").rglob("features.json"))
  content = json.loads(path.read_text())
  features = content["featuresDict"]["features"]
  features["image"] = features["file_name"]
  path.write_text(json.dumps(content))
  with pytest.raises(ValueError, match="needs an encoded image"):
    datasets.load("imagenet2012", str(official))


def test_load_refuses_files_without_random_access(official):
  path = next((official / "imagenet2012").rglob("dataset_info.json"))
  path.write_text(
    json.dumps(json.loads(path.read_text()) | {"fileFormat": "tfrecord"})
  )
  with pytest.raises(FileNotFoundError, match="as array_record in"):
    datasets.load("imagenet2012", str(official))


@pytest.mark.parametrize(
  "name,target",
  (
    ("tiny_imagenet", "tiny_imagenet"),
    ("image_folder/pets", "image_folder/pets"),
    ("imagenet2012", "image_folder/imagenet2012"),
    ("imagenette/320px-v2", "image_folder/imagenette_320px_v2"),
  ),
)
def test_load_names_the_command_if_not_prepared(tmp_path, name, target):
  with pytest.raises(FileNotFoundError) as error:
    datasets.load(name, str(tmp_path / "data"))
  message = str(error.value)
  assert f"python -m mixup_jax.data.prepare {target} --raw DIR" in message
  assert str(tmp_path / "data") in message and "\n" not in message
  assert ("tfds build" in message) == (target != name)
  assert not (tmp_path / "data").exists()


def test_load_refuses_an_unknown_name(tmp_path):
  with pytest.raises(ValueError, match="unknown set 'imagenot'.*NAME"):
    datasets.load("imagenot", str(tmp_path))
