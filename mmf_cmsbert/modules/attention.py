"""Attention within segments that lie in rows, in memory that is linear in their lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmf_cmsbert.modules.dropout import Masks
from mmf_cmsbert.modules.length_groups import group_by_length
from mmf_cmsbert.modules.packing import Layout, Packing

# Attention weights that are computed at once, 1 MB in float32: they stay in a processor's cache.
# Groups with more weights than that compute them again in the backward pass.
_BLOCK = 2**18
# Cost of another group on a CPU, in attention weights (an estimate).
_GROUP_OVERHEAD = 30_000.0


@dataclass(frozen=True)
class _Side:
    """The queries, or the keys, of a group: segments that are padded to the longest of them.

    Attributes:
        shape: ``(segments * heads, positions)``.
        index: rows of ``(all * heads, dim)`` in this order; None for all rows of a padded batch.
        mask: true for positions, false for padding, ``(segments * heads, positions)``; None
            without padding.
    """

    shape: tuple[int, int]
    index: Tensor | None
    mask: Tensor | None


class _Sides:
    """One side of all groups, and the way back to its row.

    Args:
        layout: layout of the row.
        groups: segments of each group.
        heads: attention heads.
    """

    def __init__(self, layout: Layout, groups: Sequence[Sequence[int]], heads: int):
        self._heads = heads
        self.groups = [self._side(layout, group) for group in groups]
        self._back: Tensor | None = None
        size = sum(layout.lengths) * heads
        if any(side.index is not None for side in self.groups) or not groups:
            # Positions that are in no group get the zeros after the last group.
            end = sum(a * b for a, b in (side.shape for side in self.groups))
            self._back = torch.full((size,), end, device=layout.mask.device)
            begin = 0
            for side in self.groups:
                assert side.index is not None
                places = torch.arange(len(side.index), device=side.index.device) + begin
                mask = slice(None) if side.mask is None else side.mask.flatten()
                self._back[side.index[mask]] = places[mask]
                begin += len(side.index)

    def _side(self, layout: Layout, group: Sequence[int]) -> _Side:
        index, mask = layout.index(group)
        if mask is not None:
            mask = mask.repeat_interleave(self._heads, 0)
        if index is None:
            return _Side((len(group) * self._heads, layout.mask.size(1)), None, mask)
        heads = torch.arange(self._heads, device=index.device)
        by_head = index[:, None, :] * self._heads + heads[:, None]
        return _Side((len(group) * self._heads, index.size(1)), by_head.flatten(), mask)

    def take(self, row: Tensor, side: _Side) -> Tensor:
        """Return ``(segments * heads, positions, dim)`` of a row ``(all, heads, dim)``."""
        if side.index is None:
            padded = row.unflatten(0, (-1, side.shape[1])).transpose(1, 2)
            return padded.flatten(0, 1)
        return row.flatten(0, 1).index_select(0, side.index).unflatten(0, side.shape)

    def back(self, groups: Sequence[Tensor], like: Tensor) -> Tensor:
        """Return the row ``(all, heads, dim)`` of the groups, the inverse of :meth:`take`."""
        if self._back is None:
            (padded,) = groups
            return padded.unflatten(0, (-1, self._heads)).transpose(1, 2).flatten(0, 1)
        zeros = like.new_zeros(1, like.size(-1))
        flat = torch.cat([*(each.flatten(0, 1) for each in groups), zeros])
        return flat.index_select(0, self._back).unflatten(0, (-1, self._heads))


class SegmentAttention:
    """Attention from the positions of one row to those of another, within each segment.

    On a CPU, memory grows with the number of positions, not with its square: what is computed from
    queries and keys is computed again in the backward pass, in blocks. Torch's kernel with this
    property has no dropout on a CPU. On other devices, torch chooses the kernel.

    Args:
        queries: layout of the queries.
        keys: layout of the keys and values, of the same kind as the queries'.
        heads: attention heads.
    """

    def __init__(self, queries: Layout, keys: Layout, heads: int):
        groups = _groups(queries, keys, heads)
        self.heads = heads
        self.queries = _Sides(queries, groups, heads)
        self.keys = self.queries if keys is queries else _Sides(keys, groups, heads)

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        dropout: float = 0.0,
        scale: float | None = None,
    ) -> Tensor:
        """Attend from queries to the keys of the same segment.

        Args:
            query: ``(all queries, heads, dim)``.
            key: ``(all keys, heads, dim)``.
            value: ``(all keys, heads, dim)``.
            dropout: probability of dropping an attention weight, rounded to a multiple of 1/65536
                on a CPU.
            scale: factor of the products, ``dim ** -0.5`` if None.

        Returns:
            ``(all queries, heads, dim)``. In a packed row, zeros for a segment without keys.
        """
        scale = query.size(-1) ** -0.5 if scale is None else scale
        if query.device.type == "cpu":
            row: Tensor = _BlockAttention.apply(query, key, value, self, dropout, scale)  # type: ignore[no-untyped-call]
            return row
        found = []
        for of_query, of_key in zip(self.queries.groups, self.keys.groups, strict=True):
            mask = of_key.mask
            attended = F.scaled_dot_product_attention(
                self._by_head(self.queries.take(query, of_query)),
                self._by_head(self.keys.take(key, of_key)),
                self._by_head(self.keys.take(value, of_key)),
                attn_mask=None if mask is None else self._by_head(mask)[:, :, None],
                dropout_p=dropout,
                scale=scale,
            )
            found.append(attended.flatten(0, 1))
        return self.queries.back(found, value)

    def _by_head(self, flat: Tensor) -> Tensor:
        return flat.unflatten(0, (-1, self.heads))


def _groups(queries: Layout, keys: Layout, heads: int) -> Sequence[Sequence[int]]:
    """Group segments so that padding costs little, without those that lack queries or keys."""
    if not isinstance(queries, Packing):
        return [range(len(queries.lengths))]
    pairs = list(zip(queries.lengths, keys.lengths, strict=True))
    rows = [row for row, pair in enumerate(pairs) if all(pair)]
    if not rows:
        return []
    mean = sum(queries.lengths) / len(rows)
    costs = [pairs[row][1] * (pairs[row][0] if keys is queries else mean) for row in rows]
    return [
        [rows[i] for i in group]
        for group in group_by_length(costs, overhead=_GROUP_OVERHEAD / heads)
    ]


class _BlockAttention(torch.autograd.Function):
    """See :class:`SegmentAttention`; ``P = softmax(q k^T)``, ``out = dropout(P) v``."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        plan: SegmentAttention,
        dropout: float,
        scale: float,
    ) -> Tensor:
        seed = int(torch.randint(2**62, ())) if dropout else 0
        kept, again = (Masks(dropout, (seed, stream)) for stream in range(2))
        saved: list[tuple[Tensor, Tensor | None] | None] = []
        found = []
        with torch.autocast("cpu", enabled=False):
            for of_query, of_key in zip(plan.queries.groups, plan.keys.groups, strict=True):
                q = plan.queries.take(query, of_query) * scale
                k, v = plan.keys.take(key, of_key), plan.keys.take(value, of_key)
                if q.size(0) * q.size(1) * k.size(1) <= _BLOCK:
                    weights = _weights(q, k, of_key.mask)
                    mask = kept(weights)
                    saved.append((weights, mask))
                    found.append(torch.bmm(weights if mask is None else weights * mask, v))
                    continue
                saved.append(None)
                out = torch.empty_like(q)
                for rows, at in _blocks(q, k):
                    queries, keys = q[rows, at], k[rows]
                    masked = None if of_key.mask is None else of_key.mask[rows]
                    weights = _weights(queries, keys, masked)
                    if (mask := again(weights)) is not None:
                        weights.mul_(mask)
                    out[rows, at] = torch.bmm(weights, v[rows])
                found.append(out)
            row = plan.queries.back(found, value).mul_(kept.scale)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(query, key, value)
            ctx.plan, ctx.scale, ctx.saved = plan, scale, saved
            ctx.again = dropout, (seed, 1)
        return row

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        plan, scale, again = ctx.plan, ctx.scale, Masks(*ctx.again)
        gradient = gradient * again.scale
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        with torch.autocast("cpu", enabled=False):
            groups = zip(plan.queries.groups, plan.keys.groups, ctx.saved, strict=True)
            for of_query, of_key, saved in groups:
                q = plan.queries.take(query, of_query) * scale
                k, v = plan.keys.take(key, of_key), plan.keys.take(value, of_key)
                g = plan.queries.take(gradient, of_query)
                if of_query.mask is not None:
                    g = g.masked_fill(~of_query.mask.unsqueeze(-1), 0.0)
                if saved is not None:
                    weights, mask = saved
                    found.append(_gradients(weights, mask, q, k, v, g))
                    continue
                of_q, of_k, of_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
                for rows, at in _blocks(q, k):
                    queries, keys = q[rows, at], k[rows]
                    masked = None if of_key.mask is None else of_key.mask[rows]
                    weights = _weights(queries, keys, masked)
                    mask = again(weights)
                    parts = _gradients(weights, mask, queries, keys, v[rows], g[rows, at])
                    of_q[rows, at] = parts[0]
                    of_k[rows] += parts[1]
                    of_v[rows] += parts[2]
                found.append((of_q, of_k, of_v))
            of_queries, of_keys, of_values = zip(*found, strict=True) if found else ((), (), ())
            return (
                plan.queries.back(of_queries, query).mul_(scale),
                plan.keys.back(of_keys, key),
                plan.keys.back(of_values, value),
                None,
                None,
                None,
            )


def _blocks(query: Tensor, key: Tensor) -> Iterator[tuple[slice, slice]]:
    """Divide ``(rows, queries)`` into blocks with few weights: slices of rows, and of queries."""
    rows, queries, keys = query.size(0), query.size(1), key.size(1)
    most_rows = max(1, _BLOCK // (queries * keys))
    most_queries = queries if most_rows > 1 else max(1, _BLOCK // keys)
    for row in range(0, rows, most_rows):
        for at in range(0, queries, most_queries):
            yield slice(row, row + most_rows), slice(at, at + most_queries)


def _weights(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    """Return attention weights ``(rows, queries, keys)``, zero where the mask is false."""
    products = torch.bmm(query, key.transpose(1, 2))
    if mask is not None:
        products.masked_fill_(~mask.unsqueeze(1), float("-inf"))
    return products.softmax(-1)


def _gradients(
    weights: Tensor, kept: Tensor | None, query: Tensor, key: Tensor, value: Tensor, output: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of query, key and value for the gradient of the output."""
    of_weights = torch.bmm(output, value.transpose(1, 2))
    dropped = weights
    if kept is not None:
        of_weights.mul_(kept)
        dropped = weights * kept
    of_value = torch.bmm(dropped.transpose(1, 2), output)
    of_products = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
    return (
        torch.bmm(of_products, key),
        torch.bmm(of_products.transpose(1, 2), query),
        of_value,
    )
