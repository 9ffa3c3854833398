-- One row per raw line, and those derived from it: a commitment's fee line meets two kinds in the table, itself and its
-- unused part; so does a line of split cost data where it is asked for, itself and what its parent gives up for it.
WITH prefixed AS NOT MATERIALIZED (
    -- What is read off the two maps is read before any join, which would have to carry them along.
    SELECT
        *,
        -- A user's key loses the report's own prefix, AWS's own keys get theirs back. In JSON text a quote inside a value
        -- is escaped, so the pattern of a brace or a comma and a quote meets the beginnings of keys only.
        CASE WHEN tags_size(resource_tags) > 0 THEN replace(replace(tags_text(resource_tags), ',"aws_', ',"aws:'), '{"aws_', '{"aws:') END AS prefixed_tags,
        tags_prefixed(resource_tags) AS are_prefixed,
        tags_size(resource_tags) AS tag_count,
        nullif(product['product_name'], '') AS product_title,
        -- Memory is told as '1,952 GiB', a system that does not matter as 'NA'.
        CASE
            WHEN product_instance_type <> '' THEN concat(
                '{"InstanceType":', to_json(product_instance_type),
                ',"CoreCount":' || TRY_CAST(product['vcpu'] AS INTEGER),
                ',"MemorySize":' || TRY_CAST(replace(split_part(product['memory'], ' ', 1), ',', '') AS DOUBLE),
                ',"OperatingSystem":' || CASE WHEN product['operating_system'] NOT IN ('', 'NA') THEN to_json(product['operating_system']) END, '}'
            )
        END AS sku_details
    FROM typed
), named AS NOT MATERIALIZED (
    SELECT *, replace(replace(prefixed_tags, ',"user_', ',"'), '{"user_', '{"') AS named_tags FROM prefixed
), line AS NOT MATERIALIZED (
    SELECT
        *,
        -- Where two keys would become one, all keep their prefix; where all had one of the two prefixes, no two can.
        CASE
            WHEN strlen(prefixed_tags) - strlen(named_tags) = 5 * tag_count THEN named_tags
            WHEN are_prefixed AND NOT contains(prefixed_tags, '"user_aws:') THEN named_tags
            WHEN len(list_distinct(json_keys(named_tags))) < tag_count THEN prefixed_tags
            ELSE named_tags
        END AS tags,
        coalesce(line_item_net_unblended_cost, line_item_unblended_cost) AS cost,
        nullif(reservation_reservation_a_r_n, '') AS reservation_arn,
        nullif(savings_plan_savings_plan_a_r_n, '') AS savings_plan_arn,
        coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period, 0) AS unused_upfront,
        coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee, 0) AS unused_fee,
        coalesce(savings_plan_used_commitment, 0) AS used_commitment,
        -- A container's share of the machine that is billed on a line of its own.
        split_line_item_parent_resource_id <> '' AND split_line_item_split_cost IS NOT NULL AND cost = 0 AS is_split,
        coalesce(getvariable('split'), '') = 'true' AS splits,
        CASE line_item_line_item_type
            WHEN 'Usage' THEN
                CASE
                    WHEN contains(line_item_usage_type, 'SpotUsage') OR pricing_term = 'Spot' THEN 'Usage:Spot'
                    WHEN splits AND is_split THEN 'Usage:Split'
                    ELSE 'Usage'
                END
            WHEN 'Fee' THEN
                CASE
                    WHEN coalesce(reservation_arn, savings_plan_arn) IS NOT NULL THEN 'Fee:Commitment'
                    -- An upfront fee comes with a bill of its own; in the monthly bill these two are charged every month.
                    WHEN bill_bill_type = 'Anniversary' AND (bill_billing_entity = 'AWS Marketplace' OR contains(lower(line_item_product_code), 'support')) THEN 'Fee:Recurring'
                    ELSE 'Fee'
                END
            WHEN 'Refund' THEN
                concat(
                    -- What was used before the month of the bill was billed in a month that is closed.
                    CASE WHEN line_item_usage_start_date < bill_billing_period_start_date THEN 'Refund:Closed' ELSE 'Refund' END,
                    CASE
                        WHEN line_item_tax_type <> '' THEN ':Tax'
                        WHEN line_item_usage_start_date >= bill_billing_period_start_date THEN ''
                        WHEN coalesce(reservation_arn, savings_plan_arn) IS NOT NULL THEN ':Commitment'
                        WHEN line_item_usage_type <> '' THEN ':Usage'
                    END
                )
            ELSE line_item_line_item_type
        END AS line_kind
    FROM named
), told AS NOT MATERIALIZED (
    SELECT
        line.*,
        coalesce(kind.ChargeCategory, 'Adjustment') AS kind_category,
        nullif(kind.ChargeClass, '') AS kind_class,
        coalesce(kind.ChargeFrequency, 'One-Time') AS kind_frequency,
        nullif(kind.PricingCategory, '') AS kind_pricing,
        nullif(kind.CommitmentDiscountStatus, '') AS kind_status,
        coalesce(kind.Billed, 'cost') AS billed_rule,
        -- What is bought of such a seller is used by lines of the seller's own bill.
        CASE
            WHEN bill_billing_entity = 'AWS Marketplace' AND kind.ChargeCategory IN ('Usage', 'Purchase') AND is_prepaid_seller(line_item_legal_entity) THEN 'zero'
            ELSE coalesce(kind.Effective, 'billed')
        END AS effective_rule,
        coalesce(kind.List, 'cost') AS list_rule,
        coalesce(kind.Contracted, 'cost') AS contracted_rule,
        coalesce(kind.RowKind, 'charge') AS x_RowKind,
        CASE
            WHEN kind.RowKind <> 'unused-commitment' THEN NULL
            WHEN line.line_kind = 'RIFee' THEN amount(unused_upfront) + amount(unused_fee)
            WHEN used_commitment >= savings_plan_total_commitment_to_date THEN 0
            ELSE unused_part(
                amount(savings_plan_total_commitment_to_date), amount(used_commitment),
                -- What is really paid for the commitment, where discounts lower it.
                amount(coalesce(savings_plan_net_recurring_commitment_for_billing_period, 0)) + amount(coalesce(savings_plan_net_amortized_upfront_commitment_for_billing_period, 0))
            )
        END AS unused_cost,
        CASE
            WHEN splits AND line.line_kind = 'Usage:Split' THEN signed(
                amount(coalesce(split_line_item_net_split_cost, split_line_item_split_cost)) + amount(coalesce(split_line_item_net_unused_cost, split_line_item_unused_cost, 0)), kind.RowKind
            )
        END AS split_cost,
        CASE
            WHEN splits AND line.line_kind = 'Usage:Split' THEN signed(
                amount(split_line_item_public_on_demand_split_cost) + amount(coalesce(split_line_item_public_on_demand_unused_cost, 0)), kind.RowKind
            )
        END AS split_list_cost,
        CASE WHEN splits AND line.line_kind = 'Usage:Split' THEN signed(amount(coalesce(split_line_item_split_usage, line_item_usage_amount)), kind.RowKind) END AS split_quantity,
        CASE WHEN splits AND line.line_kind = 'Usage:Split' AND kind.RowKind = 'charge' THEN line_item_resource_id END AS allocated_id,
        CASE
            WHEN kind.RowKind <> 'charge' THEN ''
            WHEN line_item_line_item_type = 'SavingsPlanNegation' THEN 'aws-savings-plan-negation-dropped'
            WHEN line_item_line_item_type = 'SavingsPlanCoveredUsage' THEN 'aws-savings-plan-covered-usage-billed-zero'
            WHEN line_item_line_item_type = 'DiscountedUsage' THEN 'aws-reservation-covered-usage-billed-zero'
            WHEN is_split AND line_item_line_item_type = 'Usage' THEN CASE WHEN splits THEN 'aws-split-cost-row-allocated' ELSE 'aws-split-cost-row-dropped' END
            -- A bill with net costs holds each discount twice: inside the net cost and as a row of its own.
            WHEN ends_with(line_item_line_item_type, 'Discount') AND line_item_net_unblended_cost IS NULL
                AND getvariable('has_net_costs') = 'true' THEN 'aws-discount-row-in-net-cost-dropped'
            ELSE ''
        END AS x_Rule
    FROM line
    LEFT JOIN aws_line_kinds AS kind ON line.line_kind = kind.line_kind
)
SELECT *, CASE x_RowKind WHEN 'unused-commitment' THEN coalesce(unused_cost > 0, true) ELSE NOT ends_with(x_Rule, '-dropped') END AS x_Keep
FROM told
