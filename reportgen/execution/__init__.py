"""How jobs are run. Knows no Keras."""
