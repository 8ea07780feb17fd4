"""Events in the order of their times, repeats, and what of the input is finished."""
