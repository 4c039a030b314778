"""Families note what they declare, and share one maximum of series."""

from openai_gateway.telemetry.families import Declared, Families


def test_what_is_declared_is_told_in_order_and_whole() -> None:
    families = Families(100, "Overflows.")
    families.counter("a_total", "A.", "key")
    families.gauge("b", "B.", "model")
    families.histogram("c_seconds", "C.", (1, 2), "model")
    families.histogram("d", "D.", (1,), "model", prefix="other_")
    families.plain("e", "E.")
    families.info("f", "F.", {"version": "1"})
    assert families.declared == (
        Declared("openai_gateway_a_total", "counter", "A.", ("key",)),
        Declared("openai_gateway_b", "gauge", "B.", ("model",)),
        Declared("openai_gateway_c_seconds", "histogram", "C.", ("model",), (1, 2)),
        Declared("other_d", "histogram", "D.", ("model",), (1,)),
        Declared("openai_gateway_e", "gauge", "E."),
        Declared("openai_gateway_f_info", "gauge", "F.", ("version",)),
        Declared("openai_gateway_label_overflows_total", "counter", "Overflows.", ("label",)),
    )


def test_all_families_draw_on_one_maximum() -> None:
    families = Families(3, "Overflows.")
    first, second = (families.counter(f"{name}_total", "X.", "model") for name in "ab")
    for model in ("one", "two"):
        first.at(model).inc()
        second.at(model).inc()
    read = families.registry.get_sample_value
    assert read("openai_gateway_b_total", {"model": "two"}) is None
    assert read("openai_gateway_b_total", {"model": "other"}) == 1
    assert read("openai_gateway_label_overflows_total", {"label": "model"}) == 1
    assert read("openai_gateway_label_overflows_total", {"label": "key"}) == 0


def test_a_label_of_another_name_is_folded_by_the_one_it_goes_by() -> None:
    families = Families(0, "Overflows.")
    family = families.histogram(
        "x", "X.", (1,), "asked", "answered", "rest", folded=("model", "model", "rest")
    )
    family.at("gpt-5", "gpt-5-mini", "kept").observe(0.5)
    read = families.registry.get_sample_value
    at = {"asked": "other", "answered": "other", "rest": "kept"}
    assert read("openai_gateway_x_count", at) == 1
    assert read("openai_gateway_label_overflows_total", {"label": "model"}) == 2
