-- AWS CUR 2.0 and legacy CUR to FOCUS 1.3, one line per column in the specification's order.
WITH line AS (
    SELECT
        r.*,
        exact(r.cost) AS charge_cost,
        exact(nullif(r.pricing_public_on_demand_cost, 0)) AS on_demand_cost,
        r.kind_category IN ('Usage', 'Purchase') AS is_priced,
        coalesce(r.reservation_arn, r.savings_plan_arn) AS commitment_id,
        coalesce(s.ServiceCategory, 'Other') AS service_category,
        coalesce(s.ServiceSubcategory, 'Other (Other)') AS service_subcategory,
        coalesce(u.unit, nullif(r.pricing_unit, '')) AS unit,
        g.region_name,
        CASE WHEN r.bill_billing_entity = 'AWS Marketplace' THEN coalesce(nullif(r.line_item_legal_entity, ''), 'AWS') ELSE 'AWS' END AS seller
    FROM rows AS r
    LEFT JOIN aws_services AS s ON r.line_item_product_code = s.product_code
    LEFT JOIN aws_units AS u ON r.pricing_unit = u.source_unit
    LEFT JOIN aws_regions AS g ON r.product_region_code = g.region_id
    WHERE r.x_Keep
)
SELECT
    NULL AS AllocatedMethodId,
    NULL AS AllocatedMethodDetails,
    NULL AS AllocatedResourceId,
    NULL AS AllocatedResourceName,
    NULL AS AllocatedTags,
    nullif(line_item_availability_zone, '') AS AvailabilityZone,
    CASE billed_rule WHEN 'cost' THEN charge_cost ELSE 0 END AS BilledCost,
    bill_payer_account_id AS BillingAccountId,
    nullif(bill_payer_account_name, '') AS BillingAccountName,
    'Payer account' AS BillingAccountType,
    line_item_currency_code AS BillingCurrency,
    CAST(getvariable('period_end') AS TIMESTAMPTZ) AS BillingPeriodEnd,
    CAST(getvariable('period_start') AS TIMESTAMPTZ) AS BillingPeriodStart,
    NULL AS CapacityReservationId,
    NULL AS CapacityReservationStatus,
    kind_category AS ChargeCategory,
    kind_class AS ChargeClass,
    nullif(line_item_line_item_description, '') AS ChargeDescription,
    kind_frequency AS ChargeFrequency,
    -- Fee lines end inclusively, at one second to midnight.
    utc(CASE WHEN second(line_item_usage_end_date) = 59 THEN line_item_usage_end_date + INTERVAL 1 SECOND ELSE line_item_usage_end_date END) AS ChargePeriodEnd,
    utc(line_item_usage_start_date) AS ChargePeriodStart,
    CASE WHEN reservation_arn IS NOT NULL THEN 'Usage' WHEN savings_plan_arn IS NOT NULL THEN 'Spend' END AS CommitmentDiscountCategory,
    commitment_id AS CommitmentDiscountId,
    NULL AS CommitmentDiscountName,
    CASE
        WHEN kind_status IS NULL OR commitment_id IS NULL THEN NULL
        WHEN savings_plan_arn IS NOT NULL THEN coalesce(unused_cost, exact(savings_plan_savings_plan_effective_cost))
        WHEN unused_cost IS NOT NULL THEN exact(reservation_unused_quantity)
        ELSE exact(line_item_usage_amount)
    END AS CommitmentDiscountQuantity,
    CASE WHEN commitment_id IS NOT NULL THEN kind_status END AS CommitmentDiscountStatus,
    CASE WHEN reservation_arn IS NOT NULL THEN 'Reserved Instance' WHEN savings_plan_arn IS NOT NULL THEN 'Savings Plan' END AS CommitmentDiscountType,
    CASE
        WHEN CommitmentDiscountQuantity IS NULL THEN NULL
        WHEN savings_plan_arn IS NOT NULL THEN line_item_currency_code
        ELSE coalesce(unit, 'Hours')
    END AS CommitmentDiscountUnit,
    CASE WHEN kind_category = 'Usage' AND unused_cost IS NULL THEN exact(line_item_usage_amount) END AS ConsumedQuantity,
    CASE WHEN ConsumedQuantity IS NOT NULL THEN unit END AS ConsumedUnit,
    NULL AS ContractApplied,
    CASE contracted_rule WHEN 'on-demand' THEN on_demand_cost WHEN 'unused' THEN unused_cost ELSE charge_cost END AS ContractedCost,
    CASE
        WHEN NOT is_priced OR unused_cost IS NOT NULL THEN NULL
        WHEN contracted_rule = 'on-demand' THEN CASE WHEN on_demand_cost IS NOT NULL THEN rate(pricing_public_on_demand_rate) END
        ELSE rate(coalesce(nullif(line_item_net_unblended_rate, ''), line_item_unblended_rate))
    END AS ContractedUnitPrice,
    CASE effective_rule
        WHEN 'billed' THEN charge_cost
        WHEN 'reservation' THEN exact(coalesce(reservation_net_effective_cost, reservation_effective_cost))
        WHEN 'savings-plan' THEN exact(coalesce(savings_plan_net_savings_plan_effective_cost, savings_plan_savings_plan_effective_cost))
        WHEN 'unused' THEN unused_cost
        ELSE 0
    END AS EffectiveCost,
    CASE WHEN is_priced THEN 'AWS' END AS HostProviderName,
    nullif(bill_invoice_id, '') AS InvoiceId,
    coalesce(nullif(bill_invoicing_entity, ''), nullif(line_item_legal_entity, ''), 'AWS') AS InvoiceIssuerName,
    CASE list_rule WHEN 'on-demand' THEN on_demand_cost WHEN 'unused' THEN unused_cost ELSE charge_cost END AS ListCost,
    CASE WHEN is_priced AND list_rule = 'on-demand' AND on_demand_cost IS NOT NULL THEN rate(pricing_public_on_demand_rate) END AS ListUnitPrice,
    kind_pricing AS PricingCategory,
    coalesce(nullif(pricing_currency, ''), line_item_currency_code) AS PricingCurrency,
    ContractedUnitPrice AS PricingCurrencyContractedUnitPrice,
    EffectiveCost AS PricingCurrencyEffectiveCost,
    ListUnitPrice AS PricingCurrencyListUnitPrice,
    CASE WHEN is_priced THEN coalesce(CASE WHEN unused_cost IS NOT NULL THEN exact(reservation_unused_quantity) END, exact(line_item_usage_amount)) END AS PricingQuantity,
    CASE WHEN PricingQuantity IS NOT NULL THEN unit END AS PricingUnit,
    'AWS' AS ProviderName,
    seller AS PublisherName,
    nullif(product_region_code, '') AS RegionId,
    CASE WHEN nullif(product_region_code, '') IS NOT NULL THEN coalesce(region_name, product_region_code) END AS RegionName,
    nullif(line_item_resource_id, '') AS ResourceId,
    NULL AS ResourceName,
    NULL AS ResourceType,
    seller AS ServiceProviderName,
    service_category AS ServiceCategory,
    coalesce(nullif(product['product_name'], ''), nullif(product_servicecode, ''), line_item_product_code) AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    CASE WHEN is_priced THEN coalesce(nullif(product_sku, ''), line_item_product_code || '|' || line_item_usage_type) END AS SkuId,
    CASE WHEN is_priced THEN nullif(line_item_usage_type, '') END AS SkuMeter,
    CASE WHEN is_priced AND nullif(product_instance_type, '') IS NOT NULL THEN '{"InstanceType":' || to_json(product_instance_type) || '}' END AS SkuPriceDetails,
    CASE WHEN is_priced THEN coalesce(nullif(pricing_rate_code, ''), concat_ws('.', nullif(product_sku, ''), nullif(pricing_rate_id, '')), SkuId) END AS SkuPriceId,
    line_item_usage_account_id AS SubAccountId,
    nullif(line_item_usage_account_name, '') AS SubAccountName,
    'Member account' AS SubAccountType,
    -- A user's key loses the report's own prefix, AWS's own keys get theirs back. In JSON text a quote inside a value is
    -- escaped, so the patterns meet the beginnings of keys only.
    CASE
        WHEN cardinality(resource_tags) > 0
            THEN replace(replace(replace(replace(
                CAST(to_json(resource_tags) AS VARCHAR), '{"user_', '{"'), ',"user_', ',"'), '{"aws_', '{"aws:'), ',"aws_', ',"aws:')
    END AS Tags,
    'AWS' AS x_Provider,
    line_item_product_code AS x_ServiceCode,
    x_RowKind,
    line_item_line_item_type AS x_ChargeType,
    nullif(line_item_usage_type, '') AS x_UsageType,
    nullif(line_item_operation, '') AS x_Operation,
    'amortized' AS x_EffectiveCostBasis,
    NULL AS x_PriceSource
FROM line
