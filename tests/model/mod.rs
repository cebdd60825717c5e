//! Vectors against SentenceTransformer's, and their independence of the batch.

mod golden;
