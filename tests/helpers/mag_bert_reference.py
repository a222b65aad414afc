"""An independent implementation of MAG-BERT, with the parameter names of its published code.

BERT as published (Devlin et al., NAACL 2019) and the gate as published (Rahman et al., ACL 2020,
equations 1 to 6), with inputs prepared as in its code: [CLS], [SEP] and padding have
frames of zeros, a word piece has the frame of its word, and all inputs have one fixed length.
"""

import math

import numpy as np
import torch

CLS, SEP, PAD = 1, 2, 0
LENGTH = 50  # of every input


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(w, name, x, epsilon):
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + epsilon)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


def embed(w, input_ids):
    x = (
        w["bert.embeddings.word_embeddings.weight"][input_ids]
        + w["bert.embeddings.position_embeddings.weight"][: input_ids.size(1)]
        + w["bert.embeddings.token_type_embeddings.weight"][0]
    )
    return layer_norm(w, "bert.embeddings.LayerNorm", x, 1e-12)


def gate(w, z, visual, acoustic, beta):
    g_v = torch.relu(linear(w, "bert.MAG.W_hv", torch.cat((visual, z), dim=-1)))
    g_a = torch.relu(linear(w, "bert.MAG.W_ha", torch.cat((acoustic, z), dim=-1)))
    h = g_v * linear(w, "bert.MAG.W_v", visual) + g_a * linear(w, "bert.MAG.W_a", acoustic)
    square = (h * h).sum(-1, keepdim=True)
    h_length = torch.sqrt(torch.where(square == 0, torch.ones_like(square), square))
    z_length = torch.sqrt((z * z).sum(-1, keepdim=True))
    alpha = torch.minimum(beta * z_length / (h_length + 1e-6), torch.ones_like(h_length))
    return layer_norm(w, "bert.MAG.LayerNorm", alpha * h + z, 1e-5)


def encoder_layer(w, name, x, input_mask, heads):
    query, key, value = (
        linear(w, f"{name}.attention.self.{part}", x) for part in ("query", "key", "value")
    )
    width = x.size(-1) // heads
    read = []
    for head in range(heads):
        columns = slice(head * width, (head + 1) * width)
        scores = query[..., columns] @ key[..., columns].transpose(1, 2) / math.sqrt(width)
        scores = scores.masked_fill(input_mask[:, None, :] == 0, -torch.inf)
        read.append(torch.softmax(scores, dim=-1) @ value[..., columns])
    x = layer_norm(
        w,
        f"{name}.attention.output.LayerNorm",
        x + linear(w, f"{name}.attention.output.dense", torch.cat(read, dim=-1)),
        1e-12,
    )
    inner = gelu(linear(w, f"{name}.intermediate.dense", x))
    return layer_norm(
        w, f"{name}.output.LayerNorm", x + linear(w, f"{name}.output.dense", inner), 1e-12
    )


def mag_bert(w, bert, input_ids, input_mask, visual, acoustic, beta=1.0):
    """Return logits ``(batch, 1)`` and states: embeddings, shifted embeddings, layers, pooled."""
    states = [embed(w, input_ids)]
    states.append(gate(w, states[0], visual, acoustic, beta))
    for i in range(bert["num_hidden_layers"]):
        name = f"bert.encoder.layer.{i}"
        heads = bert["num_attention_heads"]
        states.append(encoder_layer(w, name, states[-1], input_mask, heads))
    states.append(torch.tanh(linear(w, "bert.pooler.dense", states[-1][:, 0])))
    return linear(w, "classifier", states[-1]), states


def official_shapes(bert, visual, acoustic):
    """Return names and shapes of the state dict of MAG-BERT's published code."""
    dim, inner = bert["hidden_size"], bert["intermediate_size"]
    maps = {
        "bert.MAG.W_hv": (dim, visual + dim),
        "bert.MAG.W_ha": (dim, acoustic + dim),
        "bert.MAG.W_v": (dim, visual),
        "bert.MAG.W_a": (dim, acoustic),
        "bert.pooler.dense": (dim, dim),
        "classifier": (1, dim),
    }
    norms = ["bert.embeddings.LayerNorm", "bert.MAG.LayerNorm"]
    for i in range(bert["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            maps[f"{layer}.attention.{part}"] = (dim, dim)
        maps[f"{layer}.intermediate.dense"] = (inner, dim)
        maps[f"{layer}.output.dense"] = (dim, inner)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    shapes = {
        "bert.embeddings.word_embeddings.weight": (bert["vocab_size"], dim),
        "bert.embeddings.position_embeddings.weight": (bert["max_position_embeddings"], dim),
        "bert.embeddings.token_type_embeddings.weight": (2, dim),
    }
    for name, shape in maps.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        shapes |= {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}
    return shapes


def published_inputs(segments, length=LENGTH):
    """Return word pieces, mask and frames in MAG-BERT's form."""
    batch = []
    for segment in segments:
        ids, visual, acoustic = [CLS], [0 * segment["visual"][0]], [0 * segment["acoustic"][0]]
        for word, pieces in enumerate(segment["pieces"]):
            for piece in pieces:
                ids.append(piece)
                visual.append(segment["visual"][word])
                acoustic.append(segment["acoustic"][word])
        ids.append(SEP)
        padding = length - len(ids)
        mask = [1] * len(ids) + [0] * padding
        for rows in (visual, acoustic):
            rows.extend([0 * rows[0]] * (1 + padding))
        batch.append((ids + [PAD] * padding, mask, np.stack(visual), np.stack(acoustic)))
    ids, mask, visual, acoustic = (np.stack(part) for part in zip(*batch, strict=True))
    return (
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(visual).double(),
        torch.from_numpy(acoustic).double(),
    )
