//! The pure middle: decides requests over a snapshot of all that we know, with no input, output or clock.
