"""A page to record or upload a clip and see its score: extras ``[media]`` and ``[live]``."""
