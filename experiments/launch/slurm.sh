#!/bin/bash
# Hosts with GPUs under Slurm:
#
#     sbatch experiments/launch/slurm.sh
#
# Edit the three marked places, and submit it from the repository, on a disk
# that all hosts see.
#
# EDIT: the machines: hosts, GPUs and cores of each, hours.
#SBATCH --nodes=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --job-name=mixup
#SBATCH --ntasks-per-node=1
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@300
# One process a host has all its GPUs. SIGTERM comes to the processes 300 s
# before the time is over, for them to save.

# EDIT: what makes "python" the one with the requirements and jax[cuda13].
source .venv/bin/activate

export PYTHONUNBUFFERED=1
# By this secret the processes know each other; srun passes it on.
MIXUP_JAX_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export MIXUP_JAX_TOKEN
# When one exits, the others report why and exit by themselves, with the same
# status or 42. Killed at once, as by --kill-on-bad-exit, they would exit with
# 143, and 2, bad input, would be lost. After 60 s Slurm ends them.
# EDIT: the run.
srun --kill-on-bad-exit=0 --wait=60 \
  python -m experiments.imagenet \
  --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90 \
  --config.data_dir=/runs/data \
  --workdir=/runs/resnet50 \
  --distributed \
  --expect_devices=16
status=$?

# 42 when another process is lost, 143 when all is saved after SIGTERM, 127 to
# 255 after signals: all start again, from the latest checkpoint. 1 and 2, the
# run cannot continue and bad input, are final.
if ((status == 42 || status >= 127)) && ((${SLURM_RESTART_COUNT:-0} < 100)); then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
