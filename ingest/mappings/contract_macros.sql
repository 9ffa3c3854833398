-- Shared pieces about contracts. The views beside a bill name last days, FOCUS the instant after: whether END_DATE is the
-- last day that an item covers, or the first that it does not, the manual leaves open. It is taken as the last one, here.
CREATE OR REPLACE MACRO first_day_after(x) AS CAST(x AS DATE) + 1;
CREATE OR REPLACE MACRO last_day_before(x) AS CAST(x AS DATE) - 1;

-- What an item is drawn on as, and what a line says it was paid from; upper case in live accounts, lower in the manual.
CREATE OR REPLACE MACRO item_kind(item) AS
    CASE WHEN item ILIKE '%free%' THEN 'free usage' WHEN item ILIKE '%capacity%' THEN 'capacity' ELSE lower(trim(item)) END;
CREATE OR REPLACE MACRO balance_kind(source) AS lower(replace(coalesce(trim(source), ''), '_', ' '));
CREATE OR REPLACE MACRO is_drawn(source) AS coalesce(balance_kind(source) IN ('capacity', 'rollover', 'free usage'), false);

-- An item has no id of its own: its contract, what it is, and its first day make one.
CREATE OR REPLACE MACRO item_id(contract, item, starts) AS
    concat_ws('/', contract, replace(lower(trim(item)), ' ', '-'), CAST(starts AS DATE));

-- Who sends the invoice for what is bought in that cloud's marketplace.
CREATE OR REPLACE MACRO operator_of(marketplace) AS entity(CASE marketplace WHEN 'aws' THEN 'AWS' WHEN 'azure' THEN 'Microsoft' WHEN 'gcp' THEN 'Google' END);

-- Is this one of the sellers in a marketplace whose own bills tell what is used?
CREATE OR REPLACE MACRO is_prepaid_seller(name) AS
    coalesce(trim(name) <> '' AND list_contains(string_split(getvariable('prepaid_sellers'), chr(10)), lower(trim(name))), false);

-- ContractApplied of a line that is paid from an item: its money, what balance it was taken from, and what the provider says was left there at the end of the day.
-- The two x_ keys are those of Snowflake's own FOCUS view.
-- In three pieces around the money, because most of it is the same for many lines.
CREATE OR REPLACE MACRO applied_before(contract, commitment) AS
    '{"Elements":[{"ContractId":' || to_json(contract) || ',"ContractCommitmentId":' || to_json(commitment) || ',"ContractCommitmentAppliedCost":';
CREATE OR REPLACE MACRO applied_after(source) AS
    ',"ContractCommitmentAppliedQuantity":null,"ContractCommitmentAppliedUnit":null,"x_BalanceSource":' || to_json(source);
CREATE OR REPLACE MACRO applied_end(balance) AS coalesce(',"x_ContractCommitCostBalance":' || balance, '') || '}]}';
