"""Charts: a frame in, a ggplot out. What varies is declared here; the look is theme.py's.

A chart is a function of one of these modules, and is ordered by its name, so that it must be listed here.
"""

from reportgen.report.charts.classes import class_scores
from reportgen.report.charts.costs import cost_against_accuracy
from reportgen.report.charts.curves import learning_curves
from reportgen.report.charts.matrix import confusion_differences, confusion_matrix
from reportgen.report.charts.pairs import pair_matrix
from reportgen.report.charts.probes import accuracy_at_edges, accuracy_by_shift
from reportgen.report.charts.reliability import reliability

__all__ = [
    "accuracy_at_edges",
    "accuracy_by_shift",
    "class_scores",
    "confusion_differences",
    "confusion_matrix",
    "cost_against_accuracy",
    "learning_curves",
    "pair_matrix",
    "reliability",
]
