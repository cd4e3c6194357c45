// Package dream lets samplers of a trained image machine run freely, side by side, and scores
// what they show.
//
// A sample is the state of all units every refractory time of a spiking network (10 ms), or
// every sweep at the target temperature of the other samplers. Of the samples of a chain it
// reports
//
//	ISL             the mean log-likelihood of test images under a Bernoulli kernel around
//	                the first n samples (estimate.ISL), pixels only [nats per image]
//	switches        of the class per 1000 samples; a class counts once it has lasted for
//	                MinRun samples, so that an image between two classes does not
//	class entropy   of the shares of the classes [nats]
//	ink             mean number of pixels on, relative to the test images
//
// where the class of a sample is what a judge says of its pixels. Work is counted in three
// currencies, as in package compare: sweeps at any temperature and of any replica, biological
// time, wall time. Equal numbers of samples cost each sampler something else in each, so
// scores at an equal budget of each currency stand beside those at equal numbers.
//
// The ISL tells whether all images have a sample nearby, not whether all samples are near
// an image: blur and missing pixels cost little. Ink shows the latter.
//
// Settings of a sampler are chosen by the ISL of validation images, if asked for among those
// with about the right ink, in one run each, which no reported number uses.
package dream
