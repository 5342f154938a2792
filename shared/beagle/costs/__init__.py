"""What a deployment costs: arithmetic over public list prices. Functions carry none of it.

prices        prices.yaml: each list price, its page, and where it was seen
measured      what one object asks of a provider, as counted on the real stages
deployments   what is deployed: sizes, batches, limits
workload      what is uploaded
films         what a video asks of extract, cut by the code that cuts it
timing        how long invocations are billed for
usage         all of it, in terms that show how they are reckoned
estimate      times what it costs
"""
