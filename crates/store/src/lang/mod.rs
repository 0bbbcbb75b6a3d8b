//! What is asked.
