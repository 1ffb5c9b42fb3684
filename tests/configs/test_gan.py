"""Tests of the config of section 3.7."""

from configs import gan


def test_get_config_has_the_settings_of_the_paper():
  config = gan.get_config()
  assert (
    config.iterations,
    config.alpha,
    config.batch_size,
    config.discriminator_steps,
    config.num_latents,
    config.learning_rate,
  ) == (20_000, 0.2, 128, 5, 2, 1e-3)
  assert config.hidden == (512, 512, 512)
  assert config.snapshots == (10, 100, 1_000, 10_000, 20_000)
  assert config.datasets == ("grid", "ring")
  assert config.methods == ("erm", "mixup")
  assert config.long_seeds == config.seeds == 5


def test_get_config_with_arguments():
  config = gan.get_config(
    "method=erm+mixup_code,loss=non_saturating,dataset=ring,seeds=9"
  )
  assert config.methods == ("erm", "mixup_code")
  assert config.generator_losses == ("non_saturating",)
  assert config.datasets == ("ring",) and config.seeds == 9
  assert gan.get_config("part=stability").iterations < config.iterations
  smoke = gan.get_config("smoke")
  assert smoke.iterations % smoke.measure_every == 0 and smoke.iterations < 500
