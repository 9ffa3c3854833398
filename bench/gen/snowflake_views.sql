-- What happened in a month, as temp tables: credits in billionths, quantities of the bill in thousandths, both whole numbers.
-- {accounts} accounts, {days} days from {start}; from day {turn} on the capacity is used up. Every value follows from its keys and {seed}.

CREATE OR REPLACE TEMP TABLE account AS
SELECT
    i AS account,
    CASE i WHEN 0 THEN 'PRODUCTION' ELSE 'ACCOUNT_' || i END AS account_name,
    -- A locator is unique only within its region.
    'XY' || (12345 + i // 4) AS locator,
    ['AWS_US_EAST_1', 'AZURE_WESTEUROPE', 'GCP_US_CENTRAL1', 'AWS_EU_CENTRAL_1'][1 + i % 4] AS region,
    ['ENTERPRISE', 'BUSINESS CRITICAL', 'STANDARD'][1 + i % 3] AS service_level,
    CASE WHEN i % 9 = 8 THEN 'READER ' ELSE '' END AS reader
FROM range({accounts}) AS numbers(i);

CREATE OR REPLACE TEMP TABLE calendar AS
SELECT CAST(d AS INTEGER) AS day, DATE '{start}' + CAST(d AS INTEGER) AS date FROM range({days}) AS numbers(d);

-- Warehouse 2 rests at the weekend, no query of warehouse 3 is told; 4 stands for cloud services that no warehouse used.
CREATE OR REPLACE TEMP TABLE warehouse_day AS
SELECT
    account, day, date, w,
    CASE WHEN w = 4 THEN 'CLOUD_SERVICES_ONLY' ELSE ['ETL_WH', 'BI_WH', 'ADHOC_WH', 'ML_WH'][1 + w] END AS warehouse_name,
    CASE WHEN w = 4 THEN 0 ELSE account * 10 + w + 1 END AS warehouse_id,
    CASE WHEN w = 4 THEN 0 ELSE used + late END AS compute,
    CASE WHEN w IN (3, 4) THEN 0 ELSE (used + late) * (60 + used % 30) // 100 END AS attributed,
    CAST(hash(key + 1) % 1500000000 AS BIGINT) AS cloud
FROM (
    SELECT
        *,
        account * 1000003 + day * 1009 + w * 17 + {seed} AS key,
        CAST(1 + hash(key) % 6000000000 AS BIGINT) AS used,
        -- Late usage, as a restated month tells it.
        CASE WHEN {restated} AND account % 7 = 0 AND day >= {days} - 3 THEN 500000000 ELSE 0 END AS late
    FROM account, calendar, (SELECT CAST(w AS INTEGER) AS w FROM range(5) AS numbers(w))
    WHERE NOT (w = 2 AND isodow(date) > 5)
);

CREATE OR REPLACE TEMP TABLE stored AS
SELECT account, day, date, CAST(200 + hash(account * 31 + {seed}) % 9000 AS BIGINT) * 1073741824 + CAST(day AS BIGINT) * 104857600 AS bytes
FROM account, calendar;

CREATE OR REPLACE TEMP TABLE total AS
SELECT *, -least(cloud, compute // 10) AS included
FROM (
    SELECT
        account, day, date,
        CAST((sum(compute) + 500000) // 1000000 AS BIGINT) AS compute,
        CAST((sum(cloud) + 500000) // 1000000 AS BIGINT) AS cloud
    FROM warehouse_day
    GROUP BY account, day, date
);

-- A line of the bill a slot, account and day. On the day the capacity ends it has two parts, each at its own rate.
CREATE OR REPLACE TEMP TABLE line AS
WITH counted AS (
    SELECT
        account, day, date, slot,
        CASE slot
            WHEN 0 THEN compute
            WHEN 1 THEN cloud
            WHEN 2 THEN included
            WHEN 3 THEN CAST(round(bytes * 1000 / 1099511627776 / {days}) AS BIGINT)
            ELSE CAST(1 + hash(account * 7919 + day * 101 + slot + {seed}) % greatest(scale, 1) AS BIGINT)
        END AS thousandths
    FROM total JOIN stored USING (account, day, date), slots
)
SELECT *, CASE WHEN day < 2 THEN 'ROLLOVER' ELSE 'CAPACITY' END AS balance, false AS over FROM counted WHERE day < {turn}
UNION ALL SELECT * REPLACE (thousandths * 4 // 10 AS thousandths), 'CAPACITY', false FROM counted WHERE day = {turn}
UNION ALL SELECT * REPLACE (thousandths - thousandths * 4 // 10 AS thousandths), 'OVERAGE', true FROM counted WHERE day = {turn}
UNION ALL SELECT *, 'OVERAGE', true FROM counted WHERE day > {turn};

CREATE OR REPLACE TEMP TABLE billed AS
SELECT
    line.*, account_name, locator, region, service_level,
    CASE WHEN over THEN 'OVERAGE-' ELSE '' END || reader || usage_type AS usage_type,
    service_type, rating_type, is_adjustment, 'CONSUMPTION' AS billing_type,
    CASE WHEN over THEN overage_rate ELSE capacity_rate END AS rate,
    CAST(CAST(thousandths AS DECIMAL(15, 0)) * CAST('0.001' AS DECIMAL(4, 3)) AS DECIMAL(15, 3)) AS usage,
    CAST(round(usage * rate, 2) AS DECIMAL(38, 2)) AS money
FROM line JOIN account USING (account) JOIN slots USING (slot);
