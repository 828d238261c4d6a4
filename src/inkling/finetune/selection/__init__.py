"""Which weights ship: trainings out of fold, weights interpolated, and a guard."""
