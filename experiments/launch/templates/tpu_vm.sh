#!/bin/bash
# <<devices>> of Cloud TPU virtual machines, made by
#
<<made_by>>
#
# The old way: Google maintains this API, and develops it no more. Prefer
# GKE. Start it from the repository, which it copies to all hosts of the slice
# <<tpu>>, of type <<accelerator_type>>, which is there already:
#
#     bash FILE
#
# To stop: interrupt it, and have the hosts save with `bash FILE stop`.
name=<<tpu>> zone=<<zone>>

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
# behind, is asked to save, and killed after <<grace>> s. File descriptor 9 holds
# the lock until the process exits.
alone=$(cat << 'END'
exec 9>> ~/.mixup.lock
if ! flock --nonblock 9; then
  kill "$(cat ~/.mixup.pid)"
  flock --timeout=<<grace>> 9 || { kill -KILL "$(cat ~/.mixup.pid)"; flock 9; }
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
<<install>>
END
)

run=$(cat << 'END'
cd ~/mixup_jax
export PYTHONUNBUFFERED=1 JAX_PLATFORMS=tpu,cpu
export JAX_COMPILATION_CACHE_DIR=<<compile_cache>>
exec <<command>>
END
)

# What is in the working tree, committed or not.
folder=$(mktemp --directory)
trap 'rm --recursive "$folder"' EXIT
tar --create --gzip --file="$folder/mixup_jax.tar.gz" --exclude=__pycache__ \
  <<parts>> || exit
gcloud compute tpus tpu-vm scp "$folder/mixup_jax.tar.gz" "$name": \
  --zone="$zone" --worker=all || exit
on_all_hosts "$alone"$'\n'"$install" || exit

for ((start = 0; start <= <<max_restarts>>; start++)); do
  on_all_hosts "$alone"$'\n'"$run"
  status=$?
  case "$status" in
    <<final>>) break ;;
  esac
  sleep 30  # All others start again, from the latest checkpoint.
done
exit "$status"
