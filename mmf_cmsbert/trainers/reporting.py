"""Write the report of a finished run to ``RUN/report.html``."""

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.records.run_record import RunRecord


class WritesReport(TrainerSteps):
    """Writes the report of a finished run that keeps a record, with ``training.report``.

    Without the charts as PNGs, which take longer than the rest; ``cmsbert report`` writes them.
    Requires ``run_record``.
    """

    run_record: RunRecord | None

    def train(self) -> None:
        super().train()
        if self.run_record is None or not self.config.training.get("report"):
            return
        folder = self.run_record.file.parent
        try:
            from mmf_cmsbert import report  # imports what only reports need

            report.write(folder, pictures=False)
        except Exception as error:  # an error of the report does not change the finished run
            reason = " ".join(str(error).split()) or type(error).__name__
            mmf_log.write(
                f"The run is finished, and its report was not written: {reason}. Type cmsbert "
                f"report {folder} to write it later",
                "warning",
            )
