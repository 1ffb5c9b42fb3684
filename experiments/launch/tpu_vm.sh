#!/bin/bash
# The old way: Google maintains this API of Cloud TPU, and develops it no more;
# it serves v2 to v6e. Prefer jobset.yaml.
#
#     experiments/launch/tpu_vm.sh
#
# Starts the run on all hosts of a slice that is there, and again when that may
# help. Edit the three marked places. All hosts must see one disk, such as
# Filestore on /runs, with the data in /runs/data. To stop in order, and save:
# the same gcloud line with --worker=0 and --command="pkill -f experiments".

# EDIT: the slice.
name=mixup zone=us-west4-a

# EDIT: where each host has the repository, and a Python with jax[tpu].
repository=/home/mixup/mixup_jax python=/home/mixup/venv/bin/python

# EDIT: the run.
run="-m experiments.imagenet
  --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90
  --config.data_dir=/runs/data
  --workdir=/runs/resnet50
  --distributed
  --expect_devices=16"

# 42 when another process is lost, 143 when all is saved after SIGTERM, 127 to
# 255 after signals and lost connections: all start again, from the latest
# checkpoint. 1 and 2, the run cannot continue and bad input, are final.
for ((start = 1; start <= 100; start++)); do
  gcloud compute tpus tpu-vm ssh "$name" --zone="$zone" --worker=all \
    --command="cd $repository && PYTHONUNBUFFERED=1 exec $python ${run//$'\n'/ }"
  status=$?
  ((status == 42 || status >= 127)) || break
  sleep 30
done
exit "$status"
