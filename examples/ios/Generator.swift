// A kerasgan generator run by LiteRT. Not compiled here; see README.md.

import CoreGraphics
import Foundation
import LiteRT  // not beside SwiftUI: both have an Environment

/// A generator of images from the app's bundle, as its sidecar describes it.
final class Generator {
    struct Sidecar: Decodable {
        struct Input: Decodable {
            let name, kind: String
            let shape: [Int]
            let distribution: String?
            let range: [Float]?
        }
        struct Output: Decodable {
            let kind: String
            let shape: [Int]  // 1, height, width, channels
        }
        let inputs: [Input]
        let output: Output
    }

    enum Problem: Error {
        case missing(String)
        case unsuited(String)
    }

    private let sidecar: Sidecar
    private let model: CompiledModel
    private let inputs: [String: TensorBuffer]  // by name: their order in the file is its own
    private let inputBuffers, outputBuffers: [TensorBuffer]

    /// - Parameter name: of the files NAME.tflite and NAME.tflite.json.
    init(_ name: String) throws {
        guard let file = Bundle.main.url(forResource: name, withExtension: "tflite"),
            let description = Bundle.main.url(forResource: "\(name).tflite", withExtension: "json")
        else { throw Problem.missing("\(name).tflite and \(name).tflite.json belong into the app's bundle") }
        let sidecar = try JSONDecoder().decode(Sidecar.self, from: Data(contentsOf: description))
        guard sidecar.output.kind == "image", sidecar.inputs.allSatisfy({ ["latents", "labels"].contains($0.kind) })
        else { throw Problem.unsuited("\(name) takes or makes something else than latents, labels and images") }
        let options = try Options()
        try options.setHardwareAccelerators([.cpu])
        let model = try CompiledModel(filePath: file.path, environment: Environment(), options: options)
        let buffers = try model.createInputBuffers()
        let names = try buffers.indices.map { try model.inputName(inputIndex: $0) }
        self.sidecar = sidecar
        self.model = model
        inputs = Dictionary(uniqueKeysWithValues: zip(names, buffers))
        inputBuffers = buffers
        outputBuffers = try model.createOutputBuffers()
    }

    private func input(_ kind: String) -> Sidecar.Input? {
        sidecar.inputs.first { $0.kind == kind }
    }

    /// The classes it makes; nil where it has none.
    var labels: ClosedRange<Int32>? {
        guard let range = input("labels")?.range else { return nil }
        return Int32(range[0])...Int32(range[1])
    }

    /// Latents from the distribution that it was trained on.
    func drawLatents() -> [Float] {
        guard let latents = input("latents") else { return [] }
        return (0..<latents.shape[1]).map { _ in
            if latents.distribution == "uniform", let range = latents.range {
                return Float.random(in: range[0]...range[1])
            }
            // Box and Muller's normal number of two uniform ones.
            let radius = (-2 * log(Float.random(in: Float.leastNormalMagnitude...1))).squareRoot()
            return radius * cos(2 * .pi * Float.random(in: 0..<1))
        }
    }

    /// The image of these latents, and of a class where it has them.
    func generate(_ latents: [Float], label: Int32? = nil) throws -> CGImage {
        if let name = input("latents")?.name { try inputs[name]?.write(latents) }
        if let name = input("labels")?.name { try inputs[name]?.write([label ?? labels?.lowerBound ?? 0]) }
        try model.run(inputs: inputBuffers, outputs: outputBuffers)
        return try image(outputBuffers[0].read())
    }

    /// Values in [0, 1], rows of pixels of 1 (grey), 3 (RGB) or 4 (RGBA) channels.
    private func image(_ values: [Float]) throws -> CGImage {
        let (height, width, channels) = (sidecar.output.shape[1], sidecar.output.shape[2], sidecar.output.shape[3])
        var pixels = [UInt8](repeating: 255, count: height * width * 4)
        for pixel in 0..<height * width {
            for channel in 0..<(channels == 4 ? 4 : 3) {
                let value = values[pixel * channels + min(channel, channels - 1)]
                pixels[pixel * 4 + channel] = UInt8((min(max(value, 0), 1) * 255).rounded())
            }
        }
        guard let provider = CGDataProvider(data: Data(pixels) as CFData),
            let image = CGImage(
                width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: width * 4,
                space: CGColorSpaceCreateDeviceRGB(),
                bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.last.rawValue),  // alpha apart from the colours
                provider: provider, decode: nil, shouldInterpolate: false, intent: .defaultIntent)
        else { throw Problem.unsuited("no picture can be made of \(width)x\(height)x\(channels)") }
        return image
    }
}
