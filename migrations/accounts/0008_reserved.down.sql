-- The number is kept for another part.
SELECT;
