//! Answers what is asked.
