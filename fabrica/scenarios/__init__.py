"""What a scenario may wish for: one file a kind. Tilts change the law of all rows, injections add rows of a law of
their own, edits change cells of finished rows. None knows whether the rows come from a learned model or a simulator."""
