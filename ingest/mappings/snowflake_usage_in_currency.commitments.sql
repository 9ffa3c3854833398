-- ContractCommitment of every item of a contract that lies beside the bill or was known before. AMOUNT is money; credits are no commitment.
SELECT
    currency AS BillingCurrency,
    'Spend' AS ContractCommitmentCategory,
    amount AS ContractCommitmentCost,
    concat_ws(' ', item, 'of contract', contract) AS ContractCommitmentDescription,
    item_id(contract, item, starts) AS ContractCommitmentId,
    utc(first_day_after(ends)) AS ContractCommitmentPeriodEnd,
    utc(starts) AS ContractCommitmentPeriodStart,
    NULL AS ContractCommitmentQuantity,
    item AS ContractCommitmentType,
    NULL AS ContractCommitmentUnit,
    contract AS ContractId,
    utc(first_day_after(coalesce(expires, ends))) AS ContractPeriodEnd,
    utc(min(starts) OVER (PARTITION BY organization, contract)) AS ContractPeriodStart,
    organization AS x_Organization,
    utc(modified) AS x_ContractModified
FROM snowflake_contracts
