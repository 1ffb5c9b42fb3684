#!/bin/bash
# <<devices>> under Slurm, made by
#
<<made_by>>
#
# Submit it from the repository, on a disk that all hosts see, with what
# `pip install '.[experiments,cuda,gcs]'` installed in .venv:
#
#     sbatch FILE
#
#SBATCH --nodes=<<hosts>>
#SBATCH --ntasks-per-node=<<processes>>
#SBATCH --gpus-per-node=<<devices_per_host>>
#SBATCH --cpus-per-task=<<cpus>>
#SBATCH --time=<<time>>
#SBATCH --job-name=<<name>>
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@<<grace>>
# <<sharing>>
# SIGTERM comes to the processes <<grace>> s before the time is over, for them to save.

export PYTHONUNBUFFERED=1
export JAX_COMPILATION_CACHE_DIR=<<compile_cache>>
# By itself, srun does not take over the cores of a task.
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
# By this secret the processes know each other; srun passes it on.
MIXUP_JAX_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export MIXUP_JAX_TOKEN
# When one exits, the others report why and exit by themselves, with the same
# status or 42. Killed at once, as by --kill-on-bad-exit, they would exit with
# 143, and a status that is final would be lost. After 60 s Slurm ends them.
srun --kill-on-bad-exit=0 --wait=60 \
  <<command>>
status=$?

case "$status" in
  <<final>>) ;;
  *)  # All others start again, from the latest checkpoint.
    if ((${SLURM_RESTART_COUNT:-0} < <<max_restarts>>)); then
      scontrol requeue "$SLURM_JOB_ID"
    fi
    ;;
esac
exit "$status"
