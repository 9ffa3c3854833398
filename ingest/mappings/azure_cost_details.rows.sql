-- One row per raw line. Billed money comes from the actual file, amortised money from the amortized one; each line is taken from one of them.
WITH line AS (
    SELECT
        *,
        lower(replace(coalesce(charge_name, ''), ' ', '')) AS charge_type,
        -- Older files leave PricingModel blank; a benefit on the line still tells.
        CASE
            WHEN blank_to_null(PricingModel) IS NOT NULL THEN lower(replace(trim(PricingModel), ' ', ''))
            WHEN benefitId ILIKE '%/microsoft.billingbenefits/%' THEN 'savingsplan'
            WHEN coalesce(blank_to_null(benefitId), blank_to_null(ReservationId)) IS NOT NULL THEN 'reservation'
            ELSE ''
        END AS pricing_model
    FROM typed
),
told AS (
    SELECT
        *,
        pricing_model IN ('reservation', 'savingsplan') OR charge_type IN ('unusedreservation', 'unusedsavingsplan') AS is_commitment,
        -- A purchase may name its order alone, with nothing after the last part of the path. An Azure plan is the order of
        -- all usage, not of a commitment.
        CASE
            WHEN is_commitment THEN nullif(regexp_replace(
                lower(coalesce(blank_to_null(benefitId), blank_to_null(ReservationId), CASE WHEN coalesce(ProductOrderName, '') NOT ILIKE 'azure plan%' THEN coalesce(blank_to_null(ProductOrderId), blank_to_null(ProductOrderName)) END)),
                '/((reservations|savingsplans)/?)?$',
                ''
            ), '')
        END AS commitment_id,
        charge_type IN ('purchase', 'refund') AS is_purchase,
        getvariable('basis') = 'actual' AS is_actual_alone
    FROM line
)
SELECT
    *,
    'charge' AS x_RowKind,
    CASE
        WHEN is_actual_alone THEN ''
        WHEN x_RawRole = 'actual' AND NOT (is_commitment AND is_purchase) THEN 'azure-actual-row-taken-from-amortized'
        WHEN x_RawRole = 'actual' THEN ''
        WHEN is_commitment AND is_purchase THEN 'azure-commitment-purchase-taken-from-actual'
        WHEN is_commitment THEN 'azure-commitment-usage-billed-zero'
        ELSE ''
    END AS x_Rule,
    x_Rule IN ('', 'azure-commitment-usage-billed-zero') AS x_Keep
FROM told
