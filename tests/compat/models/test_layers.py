"""Main's models do not replace the layers of transformers."""

import pytest

from mmf_cmsbert.compat.mmf.line import is_main


@pytest.mark.skipif(not is_main(), reason="1.0.0rc10 replaces no layers")
def test_main_replaces_no_layer_of_the_library(mmf):
    from mmf.models import mmbt, vilbert
    from transformers.models.bert.modeling_bert import BertSelfAttention

    forward = BertSelfAttention.forward
    for module in (mmbt, vilbert):
        module.replace_with_jit()
    assert BertSelfAttention.forward is forward
