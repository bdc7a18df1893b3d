"""What the lessons have derived, ready to import: data, losses, training, plots and checks."""
