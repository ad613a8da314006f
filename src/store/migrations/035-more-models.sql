-- Three models or more answer the same prompts, and each two of them meet on every one.
alter table fills drop constraint fills_models_check;
alter table fills add constraint fills_models_check check (jsonb_array_length(models) between 1 and 6);
