"""Reports of runs: one HTML file that needs no server and no network, and its charts as PNGs."""

from mmf_cmsbert.report.writing import write

__all__ = ["write"]
