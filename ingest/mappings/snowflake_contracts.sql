-- What was bought, item by item, in money. Only the active contract is shown. Equal rows of one file are items of their own,
-- such as the same amount bought twice in a day; those of several files are one item, unloaded again.
WITH told AS (
    SELECT
        x_RawFile,
        trim(ORGANIZATION_NAME) AS organization,
        trim(CONTRACT_NUMBER) AS contract,
        lower(trim(CONTRACT_ITEM)) AS item,
        day_of(START_DATE) AS starts,
        day_of(END_DATE) AS ends,
        day_of(EXPIRATION_DATE) AS expires,
        upper(trim(CURRENCY)) AS currency,
        money(AMOUNT) AS amount,
        day_of(CONTRACT_MODIFIED_DATE) AS modified
    FROM companion
),
counted AS (
    SELECT *, row_number() OVER (PARTITION BY x_RawFile, organization, contract, item, starts, ends, expires, currency, amount, modified) AS again
    FROM told
)
SELECT * EXCLUDE (again) FROM (SELECT DISTINCT * EXCLUDE (x_RawFile) FROM counted)
