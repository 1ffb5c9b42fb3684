#!/bin/bash
# gpu:4x4 under Slurm, made by
#
#     python -m experiments.launch \
#         --kind=slurm \
#         --section=imagenet \
#         --slice=gpu:4x4 \
#         --slices=1 \
#         --workdir=gs://BUCKET/resnet50 \
#         --name=mixup \
#         --grace=300 \
#         --time=24:00:00 \
#         --processes_per_host=1 \
#         --out=experiments/launch/slurm.sh \
#         --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90 \
#         --config.data_dir=gs://BUCKET/data
#
# Submit it from the repository, on a disk that all hosts see, with what
# `pip install '.[experiments,cuda,gcs]'` installed in .venv:
#
#     sbatch FILE
#
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --job-name=mixup
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@300
# A process a host has all its GPUs.
# SIGTERM comes to the processes 300 s before the time is over, for them to save.

export PYTHONUNBUFFERED=1
export JAX_COMPILATION_CACHE_DIR=gs://BUCKET/resnet50/compile_cache
# By itself, srun does not take over the cores of a task.
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
# By this secret the processes know each other; srun passes it on.
MIXUP_JAX_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export MIXUP_JAX_TOKEN
# When one exits, the others report why and exit by themselves, with the same
# status or 42. Killed at once, as by --kill-on-bad-exit, they would exit with
# 143, and a status that is final would be lost. After 60 s Slurm ends them.
srun --kill-on-bad-exit=0 --wait=60 \
  .venv/bin/python -m experiments.imagenet \
      --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90 \
      --config.data_dir=gs://BUCKET/data \
      --workdir=gs://BUCKET/resnet50 \
      --distributed \
      --expect_devices=16
status=$?

case "$status" in
  0 | 1 | 2 | 126 | 127 | 130) ;;
  *)  # All others start again, from the latest checkpoint.
    if ((${SLURM_RESTART_COUNT:-0} < 100)); then
      scontrol requeue "$SLURM_JOB_ID"
    fi
    ;;
esac
exit "$status"
