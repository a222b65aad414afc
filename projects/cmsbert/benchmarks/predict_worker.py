"""Predicts the validation split of a file with an exported model, when step.py --peer orders it.

    python predict_worker.py MODEL DATA PRECISION

A pass starts with segments in memory; their words are cut into word pieces in it.
"""

import sys
from pathlib import Path

import pace


def main(model, data, precision):
    orders = pace.Orders()
    import torch

    from mmf_cmsbert import SentimentPredictor
    from mmf_cmsbert.predictor.sources import read_segments
    from mmf_cmsbert.utils.torch_threads import set_threads

    predictor = SentimentPredictor(model, precision=precision)
    set_threads(predictor.device)  # as the command does
    widths = predictor.config.widths(predictor.dataset)
    segments = list(read_segments(Path(data), "val", widths))

    clock = pace.clock_of(torch, predictor.device)

    def evaluate():
        begun = clock()
        found = list(predictor.stream(segments))
        return {"seconds": clock() - begun, "segments": len(found)}

    orders.answers["evaluate"] = evaluate
    orders.wait((pace.FINISH,))


if __name__ == "__main__":
    main(*sys.argv[1:])
