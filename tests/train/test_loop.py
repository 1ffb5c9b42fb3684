"""Tests of the training loop: its order of events, and how it stops."""

import itertools

import jax.numpy as jnp
import pytest

from mixup_jax.runtime import preemption
from mixup_jax.train import loop


def count(state, batch):
  return state + batch, {"loss": jnp.float32(state)}


def run(num_steps, **options):
  events = []
  state = loop.fit(
    0,
    count,
    itertools.repeat(1),
    num_steps=num_steps,
    on_metrics=lambda n, m: events.append(
      (n, {k: float(v) for k, v in m.items()})
    ),
    **options,
  )
  return state, events


def test_fit_reports_every_step_once_in_order():
  state, events = run(5)
  assert state == 5
  assert events == [(n + 1, {"loss": n}) for n in range(5)]


def test_fit_fetches_metrics_while_the_next_step_runs():
  order = []

  def step(state, batch):
    order.append(("step", state))
    return state + 1, {"loss": jnp.float32(0)}

  loop.fit(
    0,
    step,
    range(3),
    num_steps=3,
    on_metrics=lambda n, m: order.append(("report", n)),
  )
  assert order == [
    ("step", 0),
    ("step", 1),
    ("report", 1),
    ("step", 2),
    ("report", 2),
    ("report", 3),
  ]


def test_fit_evaluates_and_saves_at_intervals_and_at_the_end():
  saved = []
  _, events = run(
    5,
    eval_steps={2, 4},
    evaluate=lambda state: {"error": state * 10},
    save=lambda n, state: saved.append((n, state)),
  )
  assert [e for e in events if "error" in e[1]] == [
    (2, {"error": 20}),
    (4, {"error": 40}),
    (5, {"error": 50}),
  ]
  assert saved == [(2, 2), (4, 4), (5, 5)]


def test_fit_saves_when_it_is_due_with_all_metrics_before():
  seen = []
  loop.fit(
    0,
    count,
    itertools.repeat(1),
    num_steps=5,
    eval_steps={2, 4},
    evaluate=lambda state: {"error": state},
    on_metrics=lambda n, m: seen.append((n, *m)),
    save=lambda n, state: seen.append((n, "saved")),
    save_due=lambda n: n == 3,
  )
  assert seen == [
    (1, "loss"),
    (2, "loss"),
    (2, "error"),
    (3, "loss"),
    (3, "saved"),
    (4, "loss"),
    (4, "error"),
    (5, "loss"),
    (5, "error"),
    (5, "saved"),
  ]


def test_fit_resumes_from_first_step():
  state, events = run(5, first_step=3)
  assert state == 2
  assert [n for n, _ in events] == [4, 5]


@pytest.mark.parametrize("eval_steps", ((), range(10), (2, 4)))
def test_fit_raises_if_a_loss_is_not_finite(eval_steps):
  seen = []

  def step(state, batch):
    return state + 1, {"loss": jnp.float32(jnp.nan if state == 3 else 1)}

  with pytest.raises(FloatingPointError, match="loss is nan at step 4: lower"):
    loop.fit(
      0,
      step,
      range(9),
      num_steps=9,
      eval_steps=eval_steps,
      on_metrics=lambda n, m: seen.append(n),
    )
  assert seen == [1, 2, 3]


def test_fit_raises_if_the_batches_end_too_early():
  with pytest.raises(ValueError, match="ended after 3 of 5 steps: repeat"):
    loop.fit(0, count, [1, 1, 1], num_steps=5)


def test_fit_takes_several_steps_per_call():
  """Chunks of 2, 1 and 2 steps have the events of single steps."""
  chunks = [jnp.arange(2), jnp.arange(2, 3), jnp.arange(3, 5)]

  def several(state, chunk):
    return state + chunk.size, {"loss": chunk.astype(jnp.float32)}

  def record(step, batches):
    events = []
    options = {
      "evaluate": lambda state: {"error": state},
      "on_metrics": lambda n, m: events.append(
        (n, {k: float(v) for k, v in m.items()})
      ),
      "save": lambda n, state: events.append((n, state)),
    }
    loop.fit(0, step, batches, num_steps=5, eval_steps={3}, **options)
    return events

  assert record(several, chunks) == record(count, [1] * 5)


def test_fit_names_the_step_of_a_chunk_that_diverged():
  values = jnp.asarray([1.0, jnp.inf, 1.0])

  def step(state, batch):
    return (state, {"loss": values, "error": 10 * values})

  with pytest.raises(
    FloatingPointError, match=r"loss is inf at step 2 \(error inf\)"
  ):
    loop.fit(0, step, [0], num_steps=3)


def test_fit_saves_and_does_not_evaluate_when_stopped():
  saved = []
  with pytest.raises(preemption.Stopped, match="after step 3"):
    run(
      9,
      stop=lambda done: done == 3,
      eval_steps={5},
      evaluate=pytest.fail,
      save=lambda n, state: saved.append((n, state)),
    )
  assert saved == [(3, 3)]


def test_fit_does_not_raise_if_stopped_at_the_last_step():
  saved = []
  state, _ = run(
    4, stop=lambda done: done == 4, save=lambda n, state: saved.append(n)
  )
  assert state == 4 and saved == [4]
