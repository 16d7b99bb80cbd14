-- How many starts of the service began to analyse what a query had captured before
-- the service ended: a capture that ends the service each time is left alone then.

ALTER TABLE queries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
