-- One row per raw line, and where the purchase is what is billed one per item of a contract that begins in this month.
-- The negative line for included cloud services is part of the bill: nothing is filtered by IS_ADJUSTMENT.
WITH line AS (
    SELECT *, 'charge' AS x_RowKind FROM raw
    UNION ALL BY NAME
    SELECT
        organization AS ORGANIZATION_NAME,
        contract AS CONTRACT_NUMBER,
        CAST(starts AS VARCHAR) AS USAGE_DATE,
        item || ' purchase' AS USAGE_TYPE,
        '1' AS USAGE,
        currency AS CURRENCY,
        shortest(amount) AS USAGE_IN_CURRENCY,
        'capacity_purchase' AS BILLING_TYPE,
        'OTHER' AS RATING_TYPE,
        'CAPACITY' AS SERVICE_TYPE,
        shortest(amount) AS EFFECTIVE_RATE,
        'CONTRACT_ITEMS' AS x_RawFile,
        '' AS x_RawRole,
        'contract-purchase' AS x_RowKind,
        item_id(contract, item, starts) AS bought_item
    FROM snowflake_contracts
    WHERE item_kind(item) = 'capacity' AND amount <> 0 AND in_month(starts)
        AND getvariable('contract_billing') = 'purchase' AND coalesce(getvariable('marketplace'), '') = ''
        -- Files are mapped one after the other, and the items belong to none of them.
        AND coalesce(getvariable('is_first_unit'), 'true') = 'true'
),
told AS (
    SELECT
        *,
        lower(replace(coalesce(trim(BILLING_TYPE), ''), ' ', '_')) = 'capacity_purchase' AS is_bought,
        getvariable('contract_billing') = 'purchase' AS is_purchase_billed
    FROM line
)
SELECT
    *,
    -- Whose money is not this bill's, or is in it by another line.
    CASE
        WHEN coalesce(getvariable('marketplace'), '') <> '' THEN 'snowflake-billed-by-marketplace'
        WHEN x_RowKind <> 'charge' THEN ''
        WHEN is_bought AND NOT coalesce(is_purchase_billed, false) THEN 'snowflake-purchase-billed-as-drawn-down'
        WHEN is_bought AND trim(CONTRACT_NUMBER) IN (SELECT contract FROM snowflake_contracts WHERE item_kind(item) = 'capacity') THEN 'snowflake-purchase-billed-by-contract-item'
        WHEN NOT is_bought AND is_purchase_billed AND is_drawn(BALANCE_SOURCE) THEN 'snowflake-draw-down-billed-as-purchase'
        ELSE ''
    END AS x_Rule,
    true AS x_Keep
FROM told
