-- One row per raw line. A commitment's fee line meets two kinds in the table: itself and, derived from its columns, its unused part.
WITH line AS NOT MATERIALIZED (
    SELECT
        *,
        coalesce(line_item_net_unblended_cost, line_item_unblended_cost) AS cost,
        nullif(reservation_reservation_a_r_n, '') AS reservation_arn,
        nullif(savings_plan_savings_plan_a_r_n, '') AS savings_plan_arn,
        coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period, 0) AS unused_upfront,
        coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0) AS unused_fee,
        coalesce(savings_plan_used_commitment, 0) AS used_commitment,
        CASE
            WHEN line_item_line_item_type = 'Fee' AND coalesce(reservation_arn, savings_plan_arn) IS NOT NULL THEN 'Fee:Commitment'
            WHEN line_item_line_item_type = 'Usage' AND contains(line_item_usage_type, 'SpotUsage') THEN 'Usage:Spot'
            ELSE line_item_line_item_type
        END AS line_kind
    FROM typed
), told AS NOT MATERIALIZED (
    SELECT
        line.*,
        coalesce(kind.ChargeCategory, 'Adjustment') AS kind_category,
        nullif(kind.ChargeClass, '') AS kind_class,
        coalesce(kind.ChargeFrequency, 'One-Time') AS kind_frequency,
        nullif(kind.PricingCategory, '') AS kind_pricing,
        nullif(kind.CommitmentDiscountStatus, '') AS kind_status,
        coalesce(kind.Billed, 'cost') AS billed_rule,
        coalesce(kind.Effective, 'billed') AS effective_rule,
        coalesce(kind.List, 'cost') AS list_rule,
        coalesce(kind.Contracted, 'cost') AS contracted_rule,
        coalesce(kind.RowKind, 'charge') AS x_RowKind,
        CASE
            WHEN kind.RowKind <> 'unused-commitment' THEN NULL
            WHEN line.line_kind = 'RIFee' THEN amount(unused_upfront) + amount(unused_fee)
            ELSE amount(savings_plan_total_commitment_to_date) - amount(used_commitment)
        END AS unused_cost,
        CASE
            WHEN kind.RowKind = 'unused-commitment' THEN ''
            WHEN line_item_line_item_type = 'SavingsPlanNegation' THEN 'aws-savings-plan-negation-dropped'
            WHEN line_item_line_item_type = 'SavingsPlanCoveredUsage' THEN 'aws-savings-plan-covered-usage-billed-zero'
            WHEN line_item_line_item_type = 'DiscountedUsage' THEN 'aws-reservation-covered-usage-billed-zero'
            -- A bill with net costs holds each discount twice: inside the net cost and as a row of its own.
            WHEN ends_with(line_item_line_item_type, 'Discount') AND line_item_net_unblended_cost IS NULL
                AND getvariable('has_net_costs') = 'true' THEN 'aws-discount-row-in-net-cost-dropped'
            ELSE ''
        END AS x_Rule
    FROM line
    LEFT JOIN aws_line_kinds AS kind ON line.line_kind = kind.line_kind
)
SELECT *, CASE x_RowKind WHEN 'charge' THEN NOT ends_with(x_Rule, '-dropped') ELSE coalesce(unused_cost > 0, true) END AS x_Keep
FROM told
