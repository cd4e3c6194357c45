// Package inference answers questions with samplers: the posterior of a Bayesian network
// given evidence, estimated by letting a spiking network run.
//
//	net := bayes.ASIA()
//	res, err := inference.Posterior(ctx, net, bayes.Evidence{"xray": "yes", "dysp": "yes"}, inference.Options{})
//	fmt.Print(res)
//
// prints, for every variable, the exact posterior probability beside the estimates of a
// network of leaky integrate-and-fire neurons, of the abstract neural sampler and of
// Gibbs sampling, each with its Monte-Carlo error.
package inference
