-- One row per raw line, plus one row per unused part of a commitment: its fee line carries that in columns, not in its cost.
WITH line AS NOT MATERIALIZED (
    SELECT
        *,
        coalesce(line_item_net_unblended_cost, line_item_unblended_cost) AS cost,
        nullif(reservation_reservation_a_r_n, '') AS reservation_arn,
        nullif(savings_plan_savings_plan_a_r_n, '') AS savings_plan_arn
    FROM raw
), unused_reservation AS NOT MATERIALIZED (
    SELECT
        *,
        exact(coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period, 0))
            + exact(coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0)) AS unused_cost
    FROM line
    WHERE line_item_line_item_type = 'RIFee'
), unused_savings_plan AS NOT MATERIALIZED (
    SELECT
        *,
        exact(savings_plan_total_commitment_to_date) - exact(coalesce(savings_plan_used_commitment, 0)) AS unused_cost
    FROM line
    WHERE line_item_line_item_type = 'SavingsPlanRecurringFee'
), charge AS NOT MATERIALIZED (
    SELECT
        *,
        CAST(NULL AS DECIMAL(38, 24)) AS unused_cost,
        CASE
            WHEN line_item_line_item_type = 'Fee' AND reservation_arn IS NOT NULL THEN 'Fee:Commitment'
            WHEN line_item_line_item_type = 'Usage' AND contains(line_item_usage_type, 'SpotUsage') THEN 'Usage:Spot'
            ELSE line_item_line_item_type
        END AS line_kind,
        'charge' AS x_RowKind,
        CASE
            WHEN line_item_line_item_type = 'SavingsPlanNegation' THEN 'aws-savings-plan-negation-dropped'
            WHEN line_item_line_item_type = 'SavingsPlanCoveredUsage' THEN 'aws-savings-plan-covered-usage-billed-zero'
            WHEN line_item_line_item_type = 'DiscountedUsage' THEN 'aws-reservation-covered-usage-billed-zero'
            -- A bill with net costs holds each discount twice: inside the net cost and as a row of its own.
            WHEN ends_with(line_item_line_item_type, 'Discount') AND line_item_net_unblended_cost IS NULL
                AND (SELECT count(line_item_net_unblended_cost) > 0 FROM raw) THEN 'aws-discount-row-in-net-cost-dropped'
            ELSE ''
        END AS x_Rule
    FROM line
)
SELECT *, NOT ends_with(x_Rule, '-dropped') AS x_Keep FROM charge
UNION ALL
SELECT *, 'RIFee:Unused', 'unused-commitment', '', unused_cost > 0 FROM unused_reservation
UNION ALL
SELECT *, 'SavingsPlanRecurringFee:Unused', 'unused-commitment', '', coalesce(unused_cost > 0, false) FROM unused_savings_plan
