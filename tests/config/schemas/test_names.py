"""Unknown keys and names are named with the nearest one that exists."""

from mmf_cmsbert.config.schemas.names import unknown_key, unknown_name


def test_the_nearest_key_and_the_keys_of_a_small_section_are_named():
    message = unknown_key("training.early_stop", "patince", ["enabled", "patience"])
    assert message == (
        "training.early_stop.patince is not a known key. Did you mean training.early_stop.patience?"
        " Known keys: enabled, patience"
    )


def test_a_large_section_is_listed_only_where_no_key_is_near():
    known = [f"key_{i}" for i in range(40)]
    assert "Known keys" not in unknown_key("env", "key_400", known)
    assert unknown_key("env", "zz", known).endswith("Known keys: " + ", ".join(known))


def test_the_top_level_has_no_prefix():
    assert unknown_key("", "trainin", ["training"]).startswith("trainin is not a known key. Did")


def test_unknown_names_are_named_with_those_that_are_registered():
    message = unknown_name("model", "cmsbrt", ["visual_bert", "cmsbert"])
    assert message == (
        "model=cmsbrt: no model of that name. Did you mean cmsbert? Known: cmsbert, visual_bert"
    )
