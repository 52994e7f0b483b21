"""The only room that imports Keras: variants become models, models are fitted."""
