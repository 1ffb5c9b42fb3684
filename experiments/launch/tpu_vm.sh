#!/bin/bash
# v5e:4x4 of Cloud TPU virtual machines, made by
#
#     python -m experiments.launch \
#         --kind=tpu_vm \
#         --section=imagenet \
#         --slice=v5e:4x4 \
#         --slices=1 \
#         --workdir=gs://BUCKET/resnet50 \
#         --name=mixup \
#         --grace=300 \
#         --tpu=mixup \
#         --zone=us-west4-a \
#         --exclude_newer=2026-11-26 \
#         --out=experiments/launch/tpu_vm.sh \
#         --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90 \
#         --config.data_dir=gs://BUCKET/data
#
# The old way: Google maintains this API, and develops it no more. Prefer
# GKE. Start it from the repository, which it copies to all hosts of the slice
# mixup, of type v5litepod-16, which is there already:
#
#     bash FILE
#
# To stop: interrupt it, and have the hosts save with `bash FILE stop`.
name=mixup zone=us-west4-a

on_all_hosts() {
  gcloud compute tpus tpu-vm ssh "$name" --zone="$zone" --worker=all \
    --command="$1"
}

if [[ "${1:-}" == stop ]]; then
  # shellcheck disable=SC2016  # The hosts expand it.
  on_all_hosts 'flock --nonblock ~/.mixup.lock true || kill "$(cat ~/.mixup.pid)"'
  exit
fi

# A chip serves one process. The one of before, which a lost connection leaves
# behind, is asked to save, and killed after 300 s. File descriptor 9 holds
# the lock until the process exits.
alone=$(cat << 'END'
exec 9>> ~/.mixup.lock
if ! flock --nonblock 9; then
  kill "$(cat ~/.mixup.pid)"
  flock --timeout=300 9 || { kill -KILL "$(cat ~/.mixup.pid)"; flock 9; }
fi
echo $$ > ~/.mixup.pid
END
)

# The machines have an older Python. The date fixes the versions of all
# packages, so that all hosts have the same.
install=$(cat << 'END'
set -e
rm -rf ~/mixup_jax
mkdir ~/mixup_jax
cd ~/mixup_jax
tar --extract --gzip --file=../mixup_jax.tar.gz
export PATH="$HOME/.local/bin:$PATH"
curl -LsSf https://astral.sh/uv/0.13.9/install.sh | sh
uv venv --clear --python=3.12 ~/mixup_venv
uv pip install --python ~/mixup_venv/bin/python \
  --exclude-newer=2026-11-26 '.[experiments,tpu,gcs]'
END
)

run=$(cat << 'END'
cd ~/mixup_jax
export PYTHONUNBUFFERED=1 JAX_PLATFORMS=tpu,cpu
export JAX_COMPILATION_CACHE_DIR=gs://BUCKET/resnet50/compile_cache
exec ~/mixup_venv/bin/python -m experiments.imagenet \
    --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90 \
    --config.data_dir=gs://BUCKET/data \
    --workdir=gs://BUCKET/resnet50 \
    --distributed \
    --expect_devices=16
END
)

# What is in the working tree, committed or not.
folder=$(mktemp --directory)
trap 'rm --recursive "$folder"' EXIT
tar --create --gzip --file="$folder/mixup_jax.tar.gz" --exclude=__pycache__ \
  setup.cfg pyproject.toml README.md LICENSE mixup_jax configs experiments || exit
gcloud compute tpus tpu-vm scp "$folder/mixup_jax.tar.gz" "$name": \
  --zone="$zone" --worker=all || exit
on_all_hosts "$alone"$'\n'"$install" || exit

for ((start = 0; start <= 100; start++)); do
  on_all_hosts "$alone"$'\n'"$run"
  status=$?
  case "$status" in
    0 | 1 | 2 | 126 | 127 | 130) break ;;
  esac
  sleep 30  # All others start again, from the latest checkpoint.
done
exit "$status"
