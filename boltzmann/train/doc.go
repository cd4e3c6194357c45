// Package train trains restricted Boltzmann machines on binary images, with or without
// classes, and puts the trained model to use: classification, samples of a class, evidence,
// files.
//
// # Model
//
// The visible units are the pixels, then one label unit for each class, which is on in the
// images of its class:
//
//	E(v, h) = −vᵀWh − bᵀv − cᵀh,   p(v) ∝ exp(−F(v)),
//	F(v) = −bᵀv − Σ_j log(1 + exp(x_j)),   x = c + Wᵀv.
//
// Label units are units as all others: the machine does not know that exactly one is on, it
// learns it. So the same machine, as three layers pixels - hidden - labels ([Model.Layered]),
// is what a spiking network samples from.
//
// # Training
//
// An update climbs the gradient of the mean log-likelihood over a batch,
//
//	∂/∂W_ij = ⟨v_i σ(x_j)⟩_batch − ⟨v_i σ(x_j)⟩_chains,
//	step = Momentum·step + rate·(gradient − Decay·W),   W = W + step,
//
// likewise for b and c without decay. The chains move by k sweeps of blocked Gibbs sampling
// before every update. They are persistent (PCD), begin at the batch (CD-k, biased), or are
// persistent and exchange states with chains at other temperatures (CAST); see [Method].
//
//	t, err := train.New(data, train.Options{Hidden: 500, Epochs: 20})
//	err = t.Run(ctx, 0)             // or some updates at a time
//	err = t.Checkpoint("run.npz")   // and later train.Resume
//	m, err := t.Model(nil)
//	err = m.Save("digits.npz")
//	classes, err := m.Classify(images, 0)
//
// # Numbers
//
// States are bits, so that all products of the formulas are sums of rows of the units that
// are on. Parameters are float32; log odds are rounded to 2^−18 before a unit is drawn, and
// uniform numbers have 32 bits, so probabilities are right to about 1e-6. The result depends
// on data, options and seed alone: not on Parallel or GOMAXPROCS, as goroutines share out
// columns and chains and never sums, and not on the processor, as all code paths give the
// same bits. A resumed training goes on bit for bit.
//
// # Layered machines
//
// [NewDeep] trains machines of two and more hidden layers (deep Boltzmann machines) by the same
// methods, [Pretrain] gives them a start, and [DeepModel] classifies, generates and is saved.
// The positive phase is mean field, which makes the gradient that of a variational bound, or
// clamped Gibbs sampling, which makes it that of the log-likelihood (DeepOptions.Clamped).
// Label units are visible units there too, beside the pixels in layer 0; [DeepModel.Machine]
// goes to any sampler of layered machines, [DeepModel.RBM] to those of restricted ones. States
// are float32 matrices: the bits are the same on AVX2 and AVX-512, and for any number of
// goroutines, but not on processors without them.
//
// # Evidence
//
// [Model.LogLikelihood] is exact for small machines. Else it gives both bounds, from AIS and
// from reverse AIS, since AIS alone can flatter a model by more than 10 nats.
//
// Sources: Hinton 2002, Neural Comput 14:1771 (CD); Tieleman 2008, ICML (PCD); Younes 1989,
// Probab Theory Relat Fields 82:625 (stochastic maximum likelihood); Salakhutdinov 2010,
// ICML (CAST); Larochelle and Bengio 2008, ICML (classification); Hinton 2012, LNCS 7700:599
// (a practical guide; initial biases); Salakhutdinov and Hinton 2009, AISTATS (deep
// Boltzmann machines); Salakhutdinov and Murray 2008, ICML (AIS); Burda,
// Grosse and Salakhutdinov 2015, AISTATS (reverse AIS); Besag 1975, Statistician 24:179
// (pseudo-likelihood).
package train
